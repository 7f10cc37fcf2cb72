import { readdirSync, readFileSync } from "node:fs";
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
