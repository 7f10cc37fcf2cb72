import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { projectDir } from "../../cli/paths";
import { projectCopy } from "../projectCopy";
import { TestPlatform, lastEvent } from "./support/platform";

const git = (cwd: string, ...args: string[]) =>
  execFileSync("git", ["-c", "user.name=ann", "-c", "user.email=ann@example.com", ...args], {
    cwd,
    stdio: "pipe",
  });

describe("a run that is repeated from its record alone", function () {
  this.timeout(600_000);
  const project = projectCopy();
  /** Another clone, on whose machine the code is another by now. */
  const clone = path.join(path.dirname(project), "clone");
  const platform = new TestPlatform({ project });
  const elsewhere = new TestPlatform({ project: clone });
  const rerun = (...args: string[]) =>
    elsewhere.run(["rerun", "house-price", "--json", ...args], { MLPLATFORM_HOME: platform.home });

  before(async () => {
    git(project, "init", "-q");
    git(project, "add", "-A", "--", ":!node_modules");
    git(project, "commit", "-qm", "as it was");
    const { code, stderr } = await platform.run(["up", "--detach", "--json"]);
    expect(code, stderr).to.equal(0);
    git(path.dirname(project), "clone", "-q", project, clone);
    symlinkSync(path.join(projectDir, "node_modules"), path.join(clone, "node_modules"));
    appendFileSync(
      path.join(clone, "ml-app", "modelkit", "splitting.py"),
      "\nraise SystemExit('another by now')\n",
    );
    git(clone, "commit", "-qam", "as it is");
    // The sample that it was trained on lies there, too.
    rmSync(path.join(project, "ml-app", "house_price", "sample.csv"));
  });
  after(async () => {
    await platform.dispose();
    await elsewhere.dispose();
    rmSync(path.dirname(project), { recursive: true });
  });

  it("comes out the same in another clone, number for number, by the code and the data of then", async () => {
    const output = path.join(platform.home, "again");
    // Of a command that was killed: no process has that number.
    const left = path.join(tmpdir(), "mlplatform-rerun-99999999-left");
    mkdirSync(left);
    utimesSync(left, 0, 0);
    const { code, events, stderr } = await rerun("--output", output);
    expect(code, stderr).to.equal(0);
    expect(existsSync(left)).to.equal(false);
    const said = lastEvent(events, "rerun");
    expect(said).to.deep.include({ same: true, different: [], surroundings: [] });
    expect(said["commit"]).to.match(/^[0-9a-f]{40}$/);
    expect(readFileSync(path.join(output, "MLmodel"), "utf8")).to.include("skops");
    expect((await rerun("--output", output)).stderr).to.include(
      "is there already. Name a folder that is not.",
    );
    expect((await rerun("--output", path.join(output, "MLmodel", "x"))).stderr).to.include(
      "MLmodel is no folder. Name one that can be made.",
    );
  });

  it("says what is missing where the data are gone, and takes them from who has them", async () => {
    const [copy = ""] = execFileSync(
      "find",
      [path.join(platform.home, "local", "artifacts"), "-name", "data.csv"],
      {
        encoding: "utf8",
      },
    ).split("\n");
    const kept = path.join(platform.home, "kept.csv");
    cpSync(copy, kept);
    rmSync(copy);
    const { code, stderr } = await rerun();
    expect(code).to.equal(1);
    expect(stderr).to.match(
      /the data of this run are missing: their copy, mlflow-artifacts:.*data\.csv, is gone, and /,
    );
    const other = path.join(platform.home, "other.csv");
    writeFileSync(other, "a,b\n1,2\n");
    expect((await rerun("--data", other)).stderr).to.include("are other data than those of the run");
    const given = await rerun("--data", kept);
    expect(lastEvent(given.events, "rerun")["same"], given.stderr).to.equal(true);
  });
});
