import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { findCode } from "../../../cli/rerun/code";

describe("the code of a run", function () {
  this.timeout(30_000);
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-code-"));
  const mlApp = path.join(folder, "project", "ml-app");
  const code = "wine/train/trees.py";
  const lock = "wine/train/requirements.txt";
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=ann", "-c", "user.email=ann@example.com", ...args], {
      cwd: mlApp,
      encoding: "utf8",
    }).trim();
  const write = (trees: string, numpy: string) => {
    writeFileSync(path.join(mlApp, code), trees);
    writeFileSync(path.join(mlApp, lock), `numpy==${numpy} \\\n    --hash=sha256:00\n`);
  };
  const commit = (trees: string, numpy: string) => {
    write(trees, numpy);
    git("add", "-A");
    git("commit", "-qm", `${trees} ${numpy}`);
    return git("rev-parse", "HEAD");
  };
  /** A run of this code, with this numpy. */
  const wanted = (trees: string, numpy: string) => {
    writeFileSync(path.join(folder, "blob"), trees);
    const name = git("hash-object", path.join(folder, "blob"));
    return { training: "wine", code: { [code]: name }, libraries: { Numpy: numpy, pip: "1" } };
  };
  let number = 0;
  const find = (trees: string, numpy: string) => {
    number += 1;
    return findCode(mlApp, wanted(trees, numpy), path.join(folder, `copy-${number}`));
  };

  let commits: string[];
  before(() => {
    mkdirSync(path.join(mlApp, "wine", "train"), { recursive: true });
    git("init", "-q", "..");
    commits = [commit("a", "1"), commit("b", "1"), commit("b", "2"), commit("c", "2")];
  });

  it("is at hand where nothing has changed", async () => {
    expect(await find("c", "2")).to.deep.equal({ folder: mlApp });
  });

  it("is in the commit that has it, with the packages of the run, and nothing at hand is touched", async () => {
    write("changed, and not committed", "3");
    for (const [trees, numpy, index] of [
      ["a", "1", 0],
      ["b", "1", 1],
      ["b", "2", 2],
    ] as const) {
      const found = await find(trees, numpy);
      expect(found.commit, `${trees} ${numpy}`).to.equal(commits[index]);
      expect(readFileSync(path.join(found.folder, code), "utf8")).to.equal(trees);
      expect(readFileSync(path.join(found.folder, lock), "utf8")).to.include(`numpy==${numpy}`);
    }
    expect(readFileSync(path.join(mlApp, code), "utf8")).to.equal("changed, and not committed");
    expect(git("worktree", "list").split("\n")).to.have.length(1);
  });

  it("is not taken from a pull request that was only looked at", async () => {
    const theirs = commit("theirs", "2");
    git("reset", "-q", "--hard", "HEAD~1");
    git("update-ref", "refs/pull/1/head", theirs);
    const error = await find("theirs", "2").catch((reason: unknown) => (reason as Error).message);
    expect(error).to.match(/^the code of this run is not here/);
  });

  it("is found by a hook of git's, which names its repository by variables, and leaves its index alone", async () => {
    process.env["GIT_DIR"] = path.join(mlApp, "..", ".git");
    process.env["GIT_INDEX_FILE"] = path.join(mlApp, "..", ".git", "index");
    try {
      expect((await find("a", "1")).commit).to.equal(commits[0]);
    } finally {
      Reflect.deleteProperty(process.env, "GIT_DIR");
      Reflect.deleteProperty(process.env, "GIT_INDEX_FILE");
    }
    expect(git("status", "--porcelain")).to.equal("");
  });

  it("is taken with other packages where no commit has those of the run", async () => {
    expect((await find("b", "9")).commit).to.equal(commits[2]);
    write("c", "2");
    expect(await find("c", "9"), "what is at hand comes first").to.deep.equal({ folder: mlApp });
  });

  it("is told to be missing, by name, where no commit has it", async () => {
    const error = await find("never committed", "2").then(
      () => undefined,
      (reason: unknown) => (reason as Error).message,
    );
    expect(error).to.match(
      /^the code of this run is not here: ml-app\/wine\/train\/trees\.py was other then, and not in any of the 3 commits that have changed them\. .*git fetch --all/,
    );
    expect(existsSync(path.join(folder, `copy-${number}`))).to.equal(false);
  });

  it("is told to be missing outside of any repository, too", async () => {
    const alone = mkdtempSync(path.join(folder, "alone-"));
    const run = findCode(alone, wanted("a", "1"), path.join(folder, "none"));
    const error = await run.catch((reason: unknown) => (reason as Error).message);
    expect(error).to.match(
      /, and git knows no commit here\. Run this in a clone that git may read: git log -1 says/,
    );
  });

  it("is told to be in the commits that a shallow clone lacks", async () => {
    const clone = path.join(folder, "shallow");
    git("clone", "-q", "--depth", "1", `file://${path.dirname(mlApp)}`, clone);
    const run = findCode(path.join(clone, "ml-app"), wanted("a", "1"), path.join(folder, "none"));
    const error = await run.catch((reason: unknown) => (reason as Error).message);
    expect(error).to.match(
      /and not in the one commit that has changed them\. This clone has only the last commits\. .*: git fetch --unshallow --tags\.$/,
    );
  });
});
