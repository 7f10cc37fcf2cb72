import { expect } from "chai";

import { asValues } from "../standins/values";
import type { Lane } from "./support/lane";
import { reference } from "./support/reference";

describe("the images that a stack builds", function () {
  this.timeout(120_000);
  let lane: Lane;

  before(async () => {
    const run = await reference();
    lane = run.lane;
    lane.beginFrom(run.full);
  });

  /** What the platforms are for which they were built last. */
  const platforms = async () =>
    ((await lane.state()).resources ?? [])
      .filter(({ type }) => type === "docker:index/image:Image")
      .map(({ inputs = {} }) => asValues(inputs["build"] as never)["platform"]);
  const daemon = (daemonPlatform?: string) => {
    lane.changeSetting("images", () => (daemonPlatform === undefined ? {} : { daemonPlatform }));
  };

  it("are built for the platform of the daemon, where somebody has asked it", async () => {
    daemon("linux/riscv64");
    expect((await lane.must("up")).changes).to.include({ update: 3 });
    expect(await platforms()).to.deep.equal(Array(3).fill("linux/riscv64"));
    expect((await lane.must("up")).changes).to.have.all.keys("same");
  });

  for (const action of ["preview", "up"] as const)
    it(`stay so in ${action} where nobody has asked`, async () => {
      daemon();
      expect((await lane.must(action)).changes).to.have.all.keys("same");
      expect(await platforms()).to.deep.equal(Array(3).fill("linux/riscv64"));
    });

  it("are forgotten where they are built elsewhere from now on, though their daemon is gone", async () => {
    const images = ["frontend", "house-price-serve", "house-price-train"];
    lane.changeSetting("images", () => ({
      prebuilt: Object.fromEntries(images.map((name) => [name, `registry.example.com/${name}:1`])),
    }));
    lane.cluster.daemon = false;
    expect((await lane.run("up", { refresh: true })).text, "the engine by itself").to.include(
      "failed to connect to any docker daemon",
    );
    await lane.must("recover", { next: "up" });
    expect(await platforms()).to.deep.equal([]);
    await lane.must("up", { refresh: true });
    expect((await lane.must("preview")).changes).to.have.all.keys("same");
  });
});
