import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "chai";

import { readTaken, writeWanted } from "../../cli/local/front/routes";
import { projectDir } from "../../cli/paths";
import { choosePort } from "../../cli/ports";

describe("the front of the local target", function () {
  this.timeout(30_000);
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-front-"));
  let front: ChildProcess;
  let open: number;
  const servers: Server[] = [];

  /** A server that says who it is when it is asked, and ends then. */
  async function server(name: string): Promise<number> {
    const made = createServer({ allowHalfOpen: true }, (socket) =>
      socket.once("data", () => socket.end(name)),
    );
    servers.push(made);
    made.listen(0, "127.0.0.1");
    await once(made, "listening");
    return (made.address() as AddressInfo).port;
  }
  const taken = async (port: number) => {
    while (readTaken(folder)?.routes[open] !== port) await sleep(20);
  };
  /** Asks, and keeps its own end open. */
  async function ask(): Promise<{ readonly answer: string; readonly socket: Socket }> {
    const socket = connect({ port: open, host: "127.0.0.1", allowHalfOpen: true });
    socket.write("who?");
    const [answer] = (await once(socket, "data")) as [Buffer];
    return { answer: answer.toString(), socket };
  }

  /** Waits until a connection is closed, or broken off. */
  const closed = (socket: Socket) =>
    new Promise<void>((resolve) => {
      socket
        .on("error", () => undefined)
        .once("close", () => {
          resolve();
        });
    });

  before(async () => {
    open = await choosePort(0, new Set());
    const first = await server("first");
    writeWanted(folder, { [open]: first });
    const program = path.join(projectDir, "cli", "local", "front", "main.ts");
    front = spawn(process.execPath, ["--require", path.join(projectDir, "load.cjs"), program, folder]);
    await taken(first);
  });
  after(() => {
    front.kill("SIGKILL");
    for (const one of servers) one.close();
    rmSync(folder, { recursive: true });
  });

  it("leads to whichever server is behind a port, also when it was told nonsense in between", async () => {
    expect((await ask()).answer).to.equal("first");
    writeFileSync(path.join(folder, "wanted.json"), "{");
    front.kill("SIGHUP");
    await sleep(500);
    expect((await ask()).answer).to.equal("first");
    const second = await server("second");
    writeWanted(folder, { [open]: second });
    front.kill("SIGHUP");
    await taken(second);
    expect((await ask()).answer).to.equal("second");
  });

  it("lets go of a client that keeps open what the server has ended", async () => {
    const { socket } = await ask();
    const began = Date.now();
    socket.resume();
    // It is noticed by whoever writes.
    const writing = setInterval(() => socket.write("still here"), 200);
    await closed(socket);
    clearInterval(writing);
    expect(Date.now() - began).to.be.within(3_000, 10_000);
  });

  it("closes a connection to a server that is gone", async () => {
    writeWanted(folder, { [open]: await choosePort(0, new Set()) });
    front.kill("SIGHUP");
    await sleep(500);
    await closed(connect({ port: open, host: "127.0.0.1" }));
  });
});
