import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { createInterface } from "node:readline";

import { expect } from "chai";

import { projectDir } from "../../../cli/paths";

describe("the turn to change the local target", function () {
  this.timeout(120_000);
  const home = mkdtempSync(path.join(tmpdir(), "mlplatform-turns-"));
  const local = path.join(home, "local");
  mkdirSync(local);
  const script = path.join(home, "take.ts");
  writeFileSync(
    script,
    `const { existsSync } = require("node:fs");
     const { takeTurn } = require(${JSON.stringify(path.join(projectDir, "cli/local/turns.ts"))});
     console.log("ready");
     const nap = new Int32Array(new SharedArrayBuffer(4));
     while (!existsSync(process.argv[2])) Atomics.wait(nap, 0, 0, 1);
     try {
       takeTurn("up");
       console.log("mine");
     } catch (error) {
       console.log(error.name);
     }
     setInterval(() => undefined, 1_000);`,
  );
  const begin = (go: string) =>
    spawn(process.execPath, ["--require", path.join(projectDir, "load.cjs"), script, go], {
      env: { ...process.env, MLPLATFORM_HOME: home },
      stdio: ["ignore", "pipe", "inherit"],
    });

  it("is had by one of those that try at once, where one was killed that had it, or its file is damaged", async () => {
    const gone = { pid: 1, started: "before", folder: realpathSync(home) };
    for (const [round, left] of [undefined, JSON.stringify(gone), "{", ""].entries()) {
      // With it the one of the round before, who was killed, has left its own.
      if (left !== undefined) writeFileSync(path.join(local, "up.lock"), left);
      const go = path.join(home, `go${round}`);
      const tries = Array.from({ length: 4 }, () => begin(go));
      const lines = tries.map(({ stdout }) => createInterface(stdout)[Symbol.asyncIterator]());
      const next = () => Promise.all(lines.map(async (line) => String((await line.next()).value)));
      await next();
      writeFileSync(go, "");
      const told = await next();
      for (const child of tries) child.kill("SIGKILL");
      await Promise.all(tries.map((child) => once(child, "exit")));
      expect(told.sort(), left).to.deep.equal(["mine", ...Array<string>(3).fill("UserError")].sort());
      expect(readdirSync(local), left).to.deep.equal(["up.lock"]);
    }
  });
});
