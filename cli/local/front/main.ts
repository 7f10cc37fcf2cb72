/**
 * The front of the local target, a process: it listens on the ports that people use, and hands each connection on to the
 * server that is behind that port then. So a model keeps its address while another version takes its place.
 *
 *     node --require ./load.cjs cli/local/front/main.ts FOLDER
 *
 * At its start and at SIGHUP it reads the routes in FOLDER, and then says there which it has taken.
 */
import { type Server, type Socket, connect, createServer } from "node:net";
import { pipeline } from "node:stream";

import { localHost } from "../../ports";
import { type Routes, readWanted, writeTaken } from "./routes";

/** Connections at once on each port; more are closed at once. */
const mostConnections = 1_024;
/** How long a client may keep a connection open that the server has ended. */
const lingerMilliseconds = 5_000;
/** After so long without a word it is looked whether the other side is still there. */
const aliveMilliseconds = 60_000;

const [folder = ""] = process.argv.slice(2);
const listening = new Map<number, Server>();
let routes: Routes = {};

/** Hands a connection on. What one side sends or ends, the other one gets; if one breaks off, so does the other. */
function hand(client: Socket, port: number): void {
  const target = routes[port];
  if (target === undefined) {
    client.destroy();
    return;
  }
  const server = connect({ host: localHost, port: target, allowHalfOpen: true, noDelay: true });
  const end = (error: Error | null | undefined) => {
    if (error == null) return;
    client.destroy();
    server.destroy();
  };
  for (const socket of [client, server]) socket.setKeepAlive(true, aliveMilliseconds);
  // All that the server had to say is sent.
  client.once("finish", () => {
    setTimeout(() => client.destroy(), lingerMilliseconds).unref();
  });
  pipeline(client, server, end);
  pipeline(server, client, end);
}

async function listen(port: number): Promise<void> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    hand(client, port);
  });
  server.maxConnections = mostConnections;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: localHost, port, exclusive: true }, resolve);
  });
  listening.set(port, server);
}

async function take(): Promise<void> {
  const wanted = readWanted(folder);
  const ports = Object.keys(wanted).map(Number);
  for (const [port, server] of listening) {
    if (ports.includes(port)) continue;
    listening.delete(port);
    server.close();
  }
  routes = wanted;
  const refused: Record<number, string> = {};
  for (const port of ports) {
    if (listening.has(port)) continue;
    await listen(port).catch((error: unknown) => {
      refused[port] = error instanceof Error ? error.message : String(error);
    });
  }
  writeTaken(folder, { routes: wanted, refused });
}

/** Where the routes cannot be read, those of before hold, and nothing is said. */
function tellFault(error: unknown): void {
  console.error(error instanceof Error ? error.message : String(error));
}

/** One after the other, so that what is said at the end holds. */
let taking = take().catch(tellFault);
process.on("SIGHUP", () => {
  taking = taking.then(take).catch(tellFault);
});
