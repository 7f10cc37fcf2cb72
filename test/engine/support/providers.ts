import { type World, serveBackend } from "../../standins/channel";
import type { Ready } from "../../standins/host";
import { type Child, start } from "./child";

/** The stand-in providers of a lane: one process, started again when it has been killed. */
export class Providers {
  private child: Child | undefined;
  private address = "";

  constructor(private readonly world: () => World) {}

  /** Starts the process unless it runs. @returns where the engine finds the providers, as its variable wants it. */
  async running(): Promise<string> {
    if (this.child?.alive() === true) return this.address;
    const child = start("test/standins/host.ts");
    this.child = child;
    serveBackend(child.process, this.world);
    this.address = await new Promise<string>((resolve, reject) => {
      child.process.once("exit", () => {
        reject(new Error("the stand-in providers do not start"));
      });
      child.process.on("message", (message: Ready | object) => {
        if (!("ports" in message)) return;
        resolve(
          Object.entries(message.ports)
            .map(([name, port]) => `${name}:${port}`)
            .join(","),
        );
      });
    });
    return this.address;
  }

  async kill(): Promise<void> {
    await this.child?.kill();
  }
}
