import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { projectDir } from "../../cli/paths";
import { rewriteLock } from "../../cli/registry/lockFile";
import { type Decision, lockFile } from "../../config/lock";
import { imagePython } from "../../config/mlflowServer";
import { mlserverLibraries } from "../../pins";
import { Timeline } from "../standins/timeline";
import { Lane } from "./support/lane";
import { decisionOn } from "../unit/support/decision";
import { setting } from "./support/setting";

describe("a model on a standard server", function () {
  this.timeout(120_000);
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-program-"));
  const changed = path.join(folder, "changed");
  const home = process.env["MLPLATFORM_HOME"];
  let lane: Lane;

  before(async () => {
    const engine = await setting();
    // Where the lock of a stack of dev stands.
    process.env["MLPLATFORM_HOME"] = folder;
    lane = new Lane(engine, path.relative(projectDir, programIn(folder, changed)));
    await lane.begin("wine");
    lane.changeSetting("models", (models) => (models as readonly unknown[]).slice(0, 1));
    // Its page lists what was decided, and so changes too; its table is scored by the other model.
    lane.changeSetting("frontend", () => ({ enabled: false }));
    lane.changeSetting("batch", () => []);
    decide(trained, 1);
  });
  after(async () => {
    await lane.dispose();
    if (home === undefined) delete process.env["MLPLATFORM_HOME"];
    else process.env["MLPLATFORM_HOME"] = home;
    rmSync(folder, { recursive: true, force: true });
  });

  const trained = "models:/wine-quality-sklearn@champion";
  const decide = (wish: string, version: number, sha256?: Decision["sha256"]) => {
    const libraries = { "scikit-learn": mlserverLibraries["scikit-learn"] };
    rewriteLock(lockFile("wine", "dev"), "wine", () => ({
      [wish]: { ...decisionOn(version, "sklearn-cloudpickle", libraries), ...(sha256 && { sha256 }) },
    }));
  };
  const deployment = "SeldonDeployment ml-models/wine-quality-sklearn";
  const guard = /^ConfigMap ml-models\/standard-server-/;
  /** What a run changes of the model, from its beginning. */
  const changes = async () => {
    lane.timeline = new Timeline(lane.cluster.behaviour);
    await lane.must("up");
    const of = (verb: string) =>
      lane.timeline.entries.filter((entry) => entry.verb === verb).map(({ label }) => label);
    return { created: of("create"), updated: of("update"), deleted: of("delete") };
  };

  it("comes after the keys of its files, and what stands beside its server", async () => {
    const { created } = await changes();
    expect(created.filter((label) => label.startsWith("SeldonDeployment "))).to.deep.equal([deployment]);
    const { start } = lane.timeline.only("create", new RegExp(`^${deployment}$`));
    for (const label of [guard, /^Secret ml-models\/seldon-init-container-secret/])
      expect(lane.timeline.only("create", label).end, label.source).to.be.at.most(start);
  });

  it("is left alone by an up that changes nothing", async () => {
    expect(await changes()).to.deep.equal({ created: [], updated: [], deleted: [] });
  });

  it("changes in place when a file beside its server does", async () => {
    writeFileSync(changed, "");
    // They are read once by each process.
    await lane.program.kill();
    const { created, updated, deleted } = await changes();
    expect(updated).to.deep.equal([deployment]);
    expect(created.join()).to.match(guard);
    expect(deleted.join()).to.match(guard).and.not.equal(created.join());
    // The pods of before have the old files as long as there are such pods.
    expect(lane.timeline.only("delete", guard).start).to.be.at.least(
      lane.timeline.only("update", /^SeldonDeployment /).end,
    );
  });

  it("stays as it is while it is trained anew, and changes in place when that is decided on", async () => {
    lane.changeModels({}, { "n-estimators": 150 });
    const { created, updated, deleted } = await changes();
    expect(updated).to.deep.equal([]);
    expect([...created, ...deleted].every((label) => label.startsWith("Job "))).to.equal(true);
    decide(trained, 2);
    expect(await changes()).to.deep.equal({ created: [], updated: [deployment], deleted: [] });
  });

  it("changes in place when its files are to be compared", async () => {
    decide(trained, 2, { MLmodel: "0".repeat(64) });
    expect(await changes()).to.deep.equal({ created: [], updated: [deployment], deleted: [] });
  });

  it("changes in place when another model of the registry is named", async () => {
    const wish = "models:/wine@champion";
    lane.changeSetting("models", () => [
      { name: "wine-quality-sklearn", server: "SKLEARN_SERVER", allowCode: true, model: wish },
    ]);
    decide(wish, 3);
    expect((await changes()).updated).to.deep.equal([deployment]);
  });

  it("waits for the image of its packages, which is built once for all versions with the same", async () => {
    const wish = "models:/wine@champion";
    lane.changeSetting("models", () => [{ name: "wine-quality-sklearn", model: wish }]);
    const serve = (version: number, ...packages: string[]) => {
      const environment = { python: imagePython, packages };
      rewriteLock(lockFile("wine", "dev"), "wine", () => ({
        [wish]: { ...decisionOn(version, "sklearn-skops"), environment },
      }));
    };
    serve(4, "mlserver==1.7.1", "skops==0.13.0");
    const image = /^Image localhost\/mlplatform\/mlflow-server:/;
    expect((await changes()).updated).to.deep.equal([deployment]);
    expect(lane.timeline.only("create", image).end).to.be.at.most(
      lane.timeline.only("update", /^SeldonDeployment /).start,
    );
    serve(5, "mlserver==1.7.1", "skops==0.13.0");
    expect(await changes()).to.deep.equal({ created: [], updated: [deployment], deleted: [] });
    serve(6, "mlserver==1.7.1", "skops==0.14.0");
    const { created, updated } = await changes();
    expect(updated).to.deep.equal([deployment]);
    expect(created.join()).to.match(image);
  });

  it("is left out while nothing is decided", async () => {
    rmSync(lockFile("wine", "dev"));
    expect((await changes()).deleted).to.include(deployment);
  });

  it("is gone after destroy, with all that came for it", async () => {
    await lane.must("destroy");
    expect(lane.cluster.inventory()).to.deep.equal([]);
    expect(lane.cluster.faults).to.deep.equal([]);
  });
});

/** Writes a program: the project's, in which a file beside the server is another one when a mark is there. */
function programIn(folder: string, mark: string): string {
  const program = path.join(folder, "program.cjs");
  const said = {
    mark: JSON.stringify(mark),
    index: JSON.stringify(path.join(projectDir, "index.ts")),
  };
  writeFileSync(
    program,
    `const fs = require("node:fs");
    const read = fs.readFileSync;
    fs.readFileSync = (file, ...how) => {
      const content = read(file, ...how);
      return String(file).endsWith("standardserver/guard.py") && fs.existsSync(${said.mark}) ? content + "# another" : content;
    };
    module.exports = require(${said.index});
    `,
  );
  return program;
}
