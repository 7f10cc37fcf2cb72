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
    const listing = begin(/^SeldonDeployment ml-models\/listing-price-graph$/);
    const wines = begin(/^SeldonDeployment ml-models\/wine-average-graph$/);
    for (const image of [/house-listing-unit:/, /house-price-serve:/])
      expect(end(image)).to.be.at.most(listing);
    expect(end(/average-unit:/)).to.be.at.most(wines);
    expect(end(/^ConfigMap ml-models\/standard-server-/)).to.be.at.most(wines);
  });

  it("are left alone by an up that changes nothing", async () => {
    lane.timeline = new Timeline(lane.cluster.behaviour);
    await lane.must("up");
    expect(lane.timeline.entries.map(({ label }) => label)).to.deep.equal([]);
  });

  it("become a model, and the other way round, and the former is gone when the address leads to the new one", async () => {
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
    const resource = (name: string) => new RegExp(`^SeldonDeployment ml-models/${name}$`);
    const became = (created: string, deleted: string) => {
      const { timeline } = lane;
      const moved = timeline.only("update", /^Service ml-models\/listing-price$/);
      const [made, gone] = [
        timeline.only("create", resource(created)),
        timeline.only("delete", resource(deleted)),
      ];
      expect(made.end).to.be.at.most(moved.start);
      expect(moved.end).to.be.at.most(gone.start);
      return { made, moved, gone };
    };
    const splitter = /^Deployment ml-models\/listing-price-splitter$/;
    await change((one) => {
      if (one.name !== whole.name) return one;
      graph = one;
      return whole;
    });
    const { gone } = became("listing-price", "listing-price-graph");
    const address = lane.timeline.only("delete", /^Service ml-models\/listing-price-graph$/);
    // Who keeps a connection to the splitter asks the graph through it until it is gone.
    expect(lane.timeline.only("delete", splitter).end).to.be.at.most(Math.min(gone.start, address.start));
    await change((one) => (one.name === whole.name ? (graph as object) : one));
    const { moved } = became("listing-price-graph", "listing-price");
    expect(lane.timeline.only("create", splitter).end).to.be.at.most(moved.start);
  });
});
