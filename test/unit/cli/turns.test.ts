import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { text } from "node:stream/consumers";

import { expect } from "chai";

import { projectDir } from "../../../cli/paths";

describe("the turn to change the local target", function () {
  this.timeout(60_000);
  const home = mkdtempSync(path.join(tmpdir(), "mlplatform-turns-"));
  const local = path.join(home, "local");
  mkdirSync(local);
  const script = path.join(home, "take.ts");
  writeFileSync(
    script,
    `const { takeTurn } = require(${JSON.stringify(path.join(projectDir, "cli/local/turns.ts"))});
     const start = Number(process.argv[2]);
     while (Date.now() < start);
     try {
       takeTurn("up");
       console.log("mine");
       setTimeout(() => process.kill(process.pid, "SIGKILL"), 1_000);
     } catch (error) {
       console.log(error.name);
     }`,
  );
  const begin = (start: number) =>
    spawn(process.execPath, ["--require", path.join(projectDir, "load.cjs"), script, String(start)], {
      env: { ...process.env, MLPLATFORM_HOME: home },
      stdio: ["ignore", "pipe", "inherit"],
    });

  it("is had by one of those that try at once, where one was killed that had it, or its file is damaged", async () => {
    const gone = { pid: 1, started: "before", folder: realpathSync(home) };
    for (const left of [undefined, JSON.stringify(gone), "{", ""]) {
      // With it the one of the round before, who was killed, has left its own.
      if (left !== undefined) writeFileSync(path.join(local, "up.lock"), left);
      const start = Date.now() + 1_200;
      const tries = Array.from({ length: 6 }, () => begin(start));
      const told = await Promise.all(tries.map(({ stdout }) => text(stdout)));
      expect(told.sort(), left).to.deep.equal(["mine\n", ...Array<string>(5).fill("UserError\n")].sort());
      expect(readdirSync(local), left).to.deep.equal(["up.lock"]);
    }
  });
});
