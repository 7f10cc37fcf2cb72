import { type RequestListener, createServer as createHttpServer } from "node:http";
import { type Server, createServer as createTcpServer, type Socket } from "node:net";

/** A server of a test, on a free port of this machine. */
export interface TestServer {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/** Starts an HTTP server. */
export function serveHttp(listener: RequestListener): Promise<TestServer> {
  return listen(createHttpServer(listener));
}

/** Starts a server that gives each connection to `talk`. */
export function serveTcp(talk: (socket: Socket) => void): Promise<TestServer> {
  return listen(createTcpServer(talk));
}

async function listen(server: Server): Promise<TestServer> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => {
          resolve();
        });
      }),
  };
}
