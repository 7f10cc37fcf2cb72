import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { projectDir } from "../../cli/paths";

/** Files of the commands that say its name all the same, and why. */
const exceptions = {
  "cli/docs.ts": "a page for users says what they install",
  "cli/lockFiles.ts": "the packages of the project's own server are Seldon's",
  "cli/local/state.ts": "the protocol is called so",
};

describe("the software that serves models", () => {
  it("is known to the commands by its interface alone: another one is a folder", () => {
    const named = readdirSync(path.join(projectDir, "cli"), { recursive: true, encoding: "utf8" })
      .map((name) => `cli/${name}`)
      .filter((name) => name.endsWith(".ts") && !/^cli\/(serving|protocols)\//.test(name))
      .filter((name) => /seldon/i.test(readFileSync(path.join(projectDir, name), "utf8")));
    expect(named.sort()).to.deep.equal(Object.keys(exceptions).sort());
  });
});

describe("a clone on Windows, where git would end lines otherwise", function () {
  this.timeout(60_000);

  it("has every file as it is here: hashes are of these bytes, and scripts run on Linux", function () {
    // What was downloaded as an archive has no history.
    if (!existsSync(path.join(projectDir, ".git"))) this.skip();
    const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-clone-"));
    try {
      const windows = ["-c", "core.autocrlf=true", "-c", "core.eol=crlf"];
      execFileSync("git", [...windows, "clone", "--quiet", "--depth", "1", `file://${projectDir}`, folder]);
      const told = execFileSync("git", [...windows, "ls-files", "--eol"], { cwd: folder, encoding: "utf8" });
      const files = told.trim().split("\n");
      expect(
        files.filter((file) => !/^i\/(lf +w\/lf|none +w\/none|-text +w\/-text) /.test(file)),
      ).to.deep.equal([]);
      expect(files.some((file) => file.endsWith("cli/main.ts"))).to.equal(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
