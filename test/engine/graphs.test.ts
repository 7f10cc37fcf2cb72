import { expect } from "chai";

import { Timeline } from "../standins/timeline";
import { Lane } from "./support/lane";
import { setting } from "./support/setting";

describe("graphs of units", function () {
  this.timeout(180_000);
  let lane: Lane;

  before(async () => {
    lane = new Lane(await setting());
    await lane.begin("graphs");
  });
  after(() => lane.dispose());

  const begin = (label: RegExp) => lane.timeline.only("create", label).start;
  const end = (label: RegExp) => lane.timeline.only("create", label).end;

  it("are up when their pods are, which begin with all of their images", async () => {
    await lane.must("up");
    const listing = begin(/^SeldonDeployment ml-models\/listing-price$/);
    const wines = begin(/^SeldonDeployment ml-models\/wine-average$/);
    for (const image of [/house-listing-unit:/, /house-price-serve:/])
      expect(end(image)).to.be.at.most(listing);
    expect(end(/average-unit:/)).to.be.at.most(wines);
    expect(end(/^ConfigMap ml-models\/wine-average-server-/)).to.be.at.most(wines);
  });

  it("are left alone by an up that changes nothing", async () => {
    lane.timeline = new Timeline(lane.cluster.behaviour);
    await lane.must("up");
    expect(lane.timeline.entries.map(({ label }) => label)).to.deep.equal([]);
  });

  it("become a model in place, and the other way round", async () => {
    const whole = {
      name: "listing-price",
      image: "house-price-serve",
      model: "models:/house-price@champion",
    };
    let graph: unknown;
    const change = (to: (one: { readonly name: string }) => object) => {
      lane.changeSetting("models", (models) => (models as { readonly name: string }[]).map(to));
      lane.timeline = new Timeline(lane.cluster.behaviour);
      return lane.must("up");
    };
    const label = /^SeldonDeployment ml-models\/listing-price$/;
    await change((one) => {
      if (one.name !== whole.name) return one;
      graph = one;
      return whole;
    });
    lane.timeline.only("update", label);
    await change((one) => (one.name === whole.name ? (graph as object) : one));
    lane.timeline.only("update", label);
  });
});
