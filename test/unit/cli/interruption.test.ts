import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { Readable } from "node:stream";

import { expect } from "chai";

import { projectDir } from "../../../cli/paths";

describe("a command that is told to stop and does not", function () {
  this.timeout(20_000);

  it("is ended by force when its time is over, with what it was told by", async () => {
    const script = path.join(mkdtempSync(path.join(tmpdir(), "mlplatform-interruption-")), "hangs.ts");
    writeFileSync(
      script,
      `const { onInterruption } = require(${JSON.stringify(path.join(projectDir, "cli/interruption.ts"))});
       // One that has come to its end is no longer watched.
       const ended = onInterruption(() => console.log("by force, though it has ended"));
       ended.within(100);
       process.emit("SIGTERM", "SIGTERM");
       ended.dispose();
       const { within } = onInterruption(() => console.log("by force"));
       within(300);
       setInterval(() => undefined, 1_000);
       console.log("begins");`,
    );
    const words = ["--require", path.join(projectDir, "load.cjs"), script, "--json"];
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "ignore"] });
    const lines: string[] = [];
    const output: Readable = child.stdout;
    output.setEncoding("utf8").on("data", (text: string) => lines.push(...text.trim().split("\n")));
    while (lines.length === 0) await once(output, "data");
    child.kill("SIGTERM");
    const began = Date.now();
    const [code] = (await once(child, "close")) as [number];
    expect(code).to.equal(143);
    expect(Date.now() - began).to.be.within(250, 10_000);
    const message = "stopped by SIGTERM; run the same command again to go on";
    expect(lines).to.deep.equal(["begins", "by force", JSON.stringify({ event: "error", message })]);
  });
});
