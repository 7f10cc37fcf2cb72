import { expect } from "chai";

import type { Lane } from "./support/lane";
import { reference } from "./support/reference";

describe("tables that are scored", function () {
  this.timeout(120_000);
  let lane: Lane;

  before(async () => {
    const run = await reference();
    lane = run.lane;
    lane.beginFrom(run.full);
    tables({ input: "s3://datasets/a.csv" });
    lane.cluster.behaviour.add({ on: /^ready Job ml-models\/prices-/, hold: new Promise(() => undefined) });
  });
  after(() => {
    lane.cluster.behaviour.clear();
  });

  const tables = (once: object) => {
    const both = { model: "house-price", input: "s3://datasets/a.csv" };
    lane.changeSetting("batch", () => [
      { ...both, name: "prices", output: "s3://predictions/a-{version}.csv", ...once },
      { ...both, name: "nightly", output: "s3://predictions/{date}.csv", schedule: "0 2 * * *" },
    ]);
  };
  const jobs = () =>
    lane.cluster.inventory().filter((line) => /^(Cron)?Job ml-models\/(prices|nightly)/.test(line));

  it("are begun, and not waited for", async () => {
    await lane.must("up");
    expect(jobs()).to.have.length(2);
    expect(jobs().join()).to.match(/CronJob ml-models\/nightly.*Job ml-models\/prices-[0-9a-f]{10}/);
  });

  it("begin again under the same name where they have not come to an end, and nothing else does", async () => {
    const before = jobs();
    const begun = lane.timeline.entries.length;
    await lane.must("up");
    expect(jobs()).to.deep.equal(before);
    const calls = lane.timeline.entries.slice(begun).filter(({ verb }) => /create|delete|update/.test(verb));
    expect(calls.map(({ verb, label }) => `${verb} ${label}`)).to.deep.equal(
      ["delete", "create"].map((verb) => `${verb} ${before.find((line) => line.startsWith("Job ")) ?? ""}`),
    );
  });

  it("are left alone when they have ended", async () => {
    lane.cluster.behaviour.clear();
    await lane.must("up");
    expect((await lane.must("preview")).changes).to.have.all.keys("same");
  });

  it("are other Jobs where another table is named", async () => {
    const before = jobs();
    tables({ input: "s3://datasets/b.csv" });
    await lane.must("up");
    expect(jobs()).to.have.length(2);
    expect(jobs()).not.to.deep.equal(before);
  });

  it("go with what made them", async () => {
    lane.changeSetting("batch", () => []);
    await lane.must("up");
    expect(jobs()).to.deep.equal([]);
    expect(lane.cluster.inventory().filter((line) => line.includes("batch-s3"))).to.deep.equal([]);
  });
});
