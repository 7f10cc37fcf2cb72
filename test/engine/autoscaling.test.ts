import { expect } from "chai";

import type { Lane } from "./support/lane";
import { reference } from "./support/reference";

describe("a model under autoscaling", function () {
  this.timeout(120_000);
  let lane: Lane;

  before(async () => {
    const run = await reference();
    lane = run.lane;
    lane.beginFrom(run.full);
    version(50);
    await lane.must("up");
  });

  const version = (startupSeconds: number) => {
    lane.changeModels({ autoscaling: { minReplicas: 2, maxReplicas: 3 }, startupSeconds }, {});
  };
  const budgets = () =>
    lane.cluster.inventory().filter((line) => line.startsWith("PodDisruptionBudget ml-models/"));
  const ready = /^ready PodDisruptionBudget /;

  it("has one budget, of the version that it serves", () => {
    expect(budgets()).to.have.length(1);
  });

  it("is not up before the pods of a new version are there, and the version before keeps its budget", async () => {
    const [before = ""] = budgets();
    version(60);
    lane.cluster.behaviour.add({ on: ready, fail: "timed out waiting for DisruptionAllowed" });
    const failed = await lane.run("up");
    lane.cluster.behaviour.clear();
    expect(failed.ok).to.equal(false);
    expect(failed.text).to.include("timed out waiting for DisruptionAllowed");
    expect(budgets()).to.include(before).and.to.have.length(2);
  });

  it("goes back from a version that has failed to the one before", async () => {
    version(50);
    await lane.must("recover");
    await lane.must("up");
    expect(budgets()).to.have.length(1);
    expect((await lane.must("preview")).changes).to.have.all.keys("same");
  });

  it("puts a new version into service before the budget of the one before goes", async () => {
    const [before = ""] = budgets();
    version(70);
    const begun = lane.timeline.entries.length;
    await lane.must("up");
    const [after = ""] = budgets();
    expect(after).to.not.equal(before);
    const calls = lane.timeline.entries.slice(begun);
    const span = (verb: string, label: RegExp | string) => {
      const found = calls.find((entry) => entry.verb === verb && entry.label.match(label) !== null);
      if (found?.end === undefined) throw new Error(`no ${verb} ${String(label)}`);
      return { start: found.start, end: found.end };
    };
    const served = span("update", /^SeldonDeployment /);
    const created = span("create", after);
    expect(served.end, "the SeldonDeployment before the budget").to.be.at.most(created.start);
    expect(created.end, "the new budget before the old one goes").to.be.at.most(span("delete", before).start);
  });
});
