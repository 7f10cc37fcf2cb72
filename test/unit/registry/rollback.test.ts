import { expect } from "chai";

import { UserError } from "../../../cli/errors";
import { Progress } from "../../../cli/progress";
import { promoteIn } from "../../../cli/registry/promotion/promoting";
import { recordService } from "../../../cli/registry/promotion/recordService";
import { rollBackIn } from "../../../cli/registry/promotion/rollingBack";
import { outputOf } from "../support/output";
import { rejection } from "../support/rejection";
import { FakeWorld } from "./support/fakeWorld";

describe("a version in service", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let world: FakeWorld;

  beforeEach(async () => {
    world = await FakeWorld.challenged();
    world.hold(5);
  });
  afterEach(() => world.close());

  type Options = Parameters<FakeWorld["options"]>[0];
  const promote = (word: string) =>
    outputOf(async () => promoteIn(await world.scene(), word, world.options()));
  const rollback = (change: Options = {}) =>
    outputOf(async () => rollBackIn(await world.scene(), world.options(change)));
  /** What `up` does: deploys what the lock says, and tells the registry. */
  const up = async () => {
    const { what, fake } = world;
    await world.options().deploy({});
    const target = { stack: what.stack, cluster: fake.cluster };
    return outputOf(() => recordService(target, what, new Progress("json")));
  };
  const stands = (version: number) => ({
    ...{ lock: version, served: String(version) },
    aliases: { ...world.aliases, champion: String(version) },
  });
  const serving = () =>
    Object.entries(world.state().tags).flatMap(([version, tags]) =>
      Object.keys(tags).some((key) => key.startsWith("serves.")) ? [version] : [],
    );

  describe("is left for the one before", () => {
    it("which is known by the tags, and going back twice goes back two versions", async () => {
      await promote("4");
      await promote("5");
      const { out } = await rollback();
      expect(out).to.include('"event":"rollback","stack":"dev","model":"churn","version":4,"from":5');
      expect(world.state()).to.deep.include(stands(4));
      expect(world.state().tags).to.deep.equal({
        3: {},
        4: { "serves.dev": "since", "promoted.dev": { from: 3, chosen: true, scores: { test_score: 0.4 } } },
        5: {
          "promoted.dev": { from: 4, chosen: true, scores: { test_score: 0.5 } },
          "rolled-back.dev": { to: 4 },
        },
      });
      await rollback();
      expect(world.state()).to.deep.include(stands(3));
      expect(serving()).to.deep.equal(["3"]);
      expect((await rejection(rollback())).message).to.match(
        /^what served before version 3 of churn in stack dev: which one is not known\. Choose one: npm run promote -- churn VERSION\n {2}version 5/,
      );
    });

    it("which keeps what it had taken the place of, and the one left can be promoted again", async () => {
      await promote("4");
      await rollback();
      await promote("4");
      expect(world.state().tags[4]).to.deep.equal({
        "serves.dev": "since",
        "promoted.dev": { from: 3, chosen: true, scores: { test_score: 0.4 } },
      });
    });

    it("which is not known by a tag that names no version, or the same", async () => {
      await promote("4");
      for (const from of ["0", "-3", "3.5", "1e400", '"3"', "4"]) {
        world.held(4).tags["promoted.dev"] = `{"from":${from}}`;
        const { message } = await rejection(rollback());
        expect(message, from).to.match(/^what served before version 4 .*: which one is not known\./);
      }
    });

    it("in the same way back, where that one fails", async () => {
      await promote("4");
      const before = world.state();
      world.wrong.set("3", 7);
      expect((await rejection(rollback())).message).to.match(
        /^version 3 of churn is not in service[^]*service: version 4\./,
      );
      expect(world.state()).to.deep.equal(before);
    });

    it("by the same command, where it was stopped between the two", async () => {
      await promote("4");
      await rejection(rollback({ deploy: () => Promise.reject(new UserError("x")) }));
      // As after a kill: the lock is written.
      world.decide(3);
      await rollback();
      expect(world.state()).to.deep.include(stands(3));
      expect(world.state().tags[4]).to.deep.include({ "rolled-back.dev": { to: 3 } });
    });

    it("where a promotion was stopped before it", async () => {
      world.decide(4);
      world.served = world.filesOf(4);
      await rollback();
      expect(world.state()).to.deep.include({
        ...stands(3),
        tags: { 3: { "serves.dev": "since" }, 4: {}, 5: {} },
      });
    });

    it("at each moment at which it can be killed", async () => {
      for (let moment = 1; ; moment += 1) {
        await promote("4");
        const was = await world.killedAt(moment, async (options) => rollBackIn(await world.scene(), options));
        const finished = !was || serving().join() === "3";
        if (!finished) await rollback();
        expect(world.state(), `killed at moment ${moment}`).to.deep.include(stands(3));
        expect(serving()).to.deep.equal(["3"]);
        if (!was) break;
        await world.close();
        world = await FakeWorld.challenged();
      }
    });
  });

  describe("is told to the registry by `up`", () => {
    it("once: the day since when it serves stays", async () => {
      world.decide(4);
      await up();
      expect(world.state().tags).to.deep.equal({
        3: {},
        4: { "serves.dev": "since", "promoted.dev": { from: 3, scores: { test_score: 0.4 } } },
        5: {},
      });
      world.fake.changes.length = 0;
      await up();
      expect(world.fake.changes).to.deep.equal([]);
    });

    it("where nothing was known of any, and no model of the stack is of that name any more", async () => {
      world.hold(3);
      await up();
      expect(world.state().tags[3]).to.deep.equal({
        "serves.dev": "since",
        "promoted.dev": { from: null, scores: { test_score: 0.3 } },
      });
      const none = { config: { ...world.what.config, models: [] }, file: world.what.file };
      await recordService({ stack: "dev", cluster: world.fake.cluster }, none, new Progress("json"));
      expect(serving()).to.deep.equal([]);
    });

    it("or not, where that does not answer, which is a warning", async () => {
      const address =
        Object.keys(world.fake.answers).find((one) => one.endsWith("model-versions/search")) ?? "";
      world.fake.answers[address] = [503, "no endpoints"];
      expect((await up()).out).to.match(
        /^\{"event":"warning","message":"the registry could not be told what serves: .*503/,
      );
    });

    describe("with the alias, where it came with the lock", () => {
      beforeEach(async () => {
        await world.close();
        world = await FakeWorld.challenged("prod");
        world.hold(5);
      });

      it("from a branch, forth and back", async () => {
        world.decide(4);
        await up();
        expect(world.state()).to.deep.include({ lock: 4, served: "4", aliases: { champion: "4" } });
        // The lock of before, taken from git: version 4 was registered after that was decided.
        world.held(4).registered = "2026-11-20T00:00:00Z";
        world.decide(3);
        await up();
        expect(world.state()).to.deep.include({ lock: 3, served: "3", aliases: { champion: "3" } });
        expect(world.state().tags[4]).to.deep.include({ "rolled-back.prod": { to: 3 } });
      });

      it("but for a registry that has moved on since", async () => {
        world.decide(4);
        world.held(5).registered = "2026-11-20T00:00:00Z";
        world.aliases["champion"] = "5";
        expect((await up()).out).to.include(
          "models:/churn@champion stays version 5, which was registered after version 4 was decided on.",
        );
        expect(world.aliases["champion"]).to.equal("5");
        expect(serving()).to.deep.equal(["4"]);
      });

      it("and stays where people have moved it, while the same version serves", async () => {
        world.aliases["champion"] = "4";
        await up();
        expect(world.aliases["champion"]).to.equal("4");
      });
    });
  });
});
