import { expect } from "chai";

import { keyOf } from "../standins/cluster";
import type { Lane } from "./support/lane";
import { reference } from "./support/reference";

describe("a split of a model's requests", function () {
  this.timeout(120_000);
  let lane: Lane;

  before(async () => {
    const run = await reference();
    lane = run.lane;
    lane.beginFrom(run.full);
  });
  after(() => {
    lane.cluster.behaviour.clear();
  });

  const split = (canary: number) => {
    const model = "s3://models/house-price/2";
    const predictors = [
      { name: "default", traffic: 100 - canary },
      { name: "canary", traffic: canary, model },
    ];
    lane.changeModels({ predictors }, {});
  };
  const inCluster = (kind: RegExp) => lane.cluster.inventory().filter((line) => kind.test(line));
  const splitter = "Deployment ml-models/house-price-splitter";
  /** Whom the model's address leads to. */
  const behind = () => {
    const service = { kind: "Service", namespace: "ml-models", name: "house-price" };
    return JSON.stringify(lane.cluster.objects.get(keyOf(service))?.manifest["spec"]);
  };

  it("is behind the model's address when it is ready, and not before", async () => {
    split(10);
    lane.cluster.behaviour.add({
      on: /^ready Deployment ml-models\/house-price-splitter/,
      fail: "Envoy refuses it",
    });
    const failed = await lane.run("up");
    lane.cluster.behaviour.clear();
    expect(failed.ok).to.equal(false);
    expect(failed.text).to.include("Envoy refuses it");
    expect(behind()).not.to.include("splitter");
    await lane.must("recover");
    await lane.must("up");
    expect(behind()).to.include("splitter");
    expect((await lane.must("preview")).changes).to.have.all.keys("same");
  });

  it("gets other shares without a change of the models, and the former configuration goes last", async () => {
    const [before = ""] = inCluster(/ConfigMap ml-models\/house-price-splitter/);
    split(50);
    const begun = lane.timeline.entries.length;
    await lane.must("up");
    const calls = lane.timeline.entries
      .slice(begun)
      .filter(({ verb }) => /create|delete|update/.test(verb))
      .map(({ verb, label }) => `${verb} ${label}`);
    expect(calls).to.include(`update ${splitter}`);
    expect(calls.at(-1)).to.equal(`delete ${before}`);
  });

  it("leaves nothing behind, and the main predictor as it was", async () => {
    lane.changeModels({ predictors: undefined }, {});
    await lane.must("up");
    expect(inCluster(/splitter|canary/)).to.deep.equal([]);
    expect(behind()).not.to.include("splitter");
  });
});
