import { expect } from "chai";

import { Interrupted, UserError } from "../../../cli/errors";
import { decisionsIn, rewriteLock } from "../../../cli/registry/lockFile";
import { promoteIn } from "../../../cli/registry/promotion/promoting";
import { outputOf } from "../support/output";
import { rejection } from "../support/rejection";
import { FakeWorld } from "./support/fakeWorld";

describe("a promotion", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let world: FakeWorld;

  const open = async (...how: Parameters<typeof FakeWorld.challenged>) => {
    world = await FakeWorld.challenged(...how);
  };
  beforeEach(() => open());
  afterEach(() => world.close());

  const promote = async (word?: string, change: Parameters<FakeWorld["options"]>[0] = {}) =>
    outputOf(async () => promoteIn(await world.scene(), word, world.options(change)));
  const refusal = async (...how: Parameters<typeof promote>) => (await rejection(promote(...how))).message;

  const before = {
    ...{ lock: 3, served: "3", aliases: { champion: "3", challenger: "4" } },
    tags: { 3: { "serves.dev": "since" }, 4: {} },
  };
  const after = {
    ...{ lock: 4, served: "4", aliases: { champion: "4" } },
    tags: {
      3: {},
      4: { "serves.dev": "since", "promoted.dev": { from: 3, chosen: true, scores: { test_score: 0.4 } } },
    },
  };

  it("brings the challenger into service, and tells the registry last", async () => {
    const order: string[] = [];
    world.onChange = (what) => order.push(what);
    const { out } = await promote();
    expect(world.state()).to.deep.equal(after);
    expect(order.filter((what) => what.startsWith("before"))).to.deep.equal([
      "before deploy",
      "before POST alias champion",
      "before DELETE alias challenger",
      "before set-tag files.sha256 of 4",
      "before set-tag promoted.dev of 4",
      "before set-tag serves.dev of 4",
      "before delete-tag serves.dev of 3",
    ]);
    expect(out).to.include('"event":"promote","stack":"dev","model":"churn","version":4,"from":3');
  });

  it("changes nothing where the version is in service", async () => {
    await promote();
    world.fake.changes.length = 0;
    const { out } = await promote("4", { deploy: () => Promise.reject(new Error("deployed")) });
    expect(out).to.include('"version":4,"changed":false');
    expect(world.fake.changes).to.deep.equal([]);
    expect(await refusal(undefined)).to.match(
      /no version with the alias challenger.*promote -- churn VERSION/,
    );
  });

  describe("is refused before anything changes", () => {
    afterEach(() => {
      expect(world.state()).to.deep.equal({ ...before, aliases: world.state().aliases });
      expect(world.fake.changes).to.deep.equal([]);
    });

    it("without a version to take, with those that there are", async () => {
      Reflect.deleteProperty(world.aliases, "challenger");
      expect(await refusal()).to.equal(
        "churn has no version with the alias challenger. Choose one: npm run promote -- churn VERSION\n" +
          "  version 4  test_score 0.4, 2026-10-01\n  version 3  champion, test_score 0.3, 2026-10-01",
      );
    });

    it("without a number for a challenger that is no newer than what serves", async () => {
      world.hold(2);
      world.aliases["challenger"] = "2";
      expect(await refusal()).to.match(
        /^version 2, the challenger of churn, is not newer than version 3, which serves\. Choose one: npm run promote -- churn VERSION\n {2}version 4 /,
      );
      Reflect.deleteProperty(world.versions, 2);
    });

    it("where a model that is in service would go, as nothing is decided for it", async () => {
      world.serveUndecided("flowers");
      expect(await refusal("4")).to.equal(
        "flowers would be taken out of service, as nothing is decided for what the stack names now. Nothing was changed.\n" +
          "  Decide: npm run models -- update",
      );
    });

    it("for a version that is not there, or no number", async () => {
      expect(await refusal("9")).to.match(/^churn has no version 9\. It has:\n {2}version 4 {2}challenger/);
      expect(await refusal("four")).to.match(/^churn has versions by number, and "four" is none\. It has:/);
    });

    it("where columns are others, unless that is wanted", async () => {
      world.hold(4, { inputs: '[{"name":"a","type":"long"},{"name":"b","type":"string"}]' });
      expect(await refusal()).to.equal(
        "version 4 takes or answers something else than version 3: column a: double → long; column b (string) is new. " +
          "Whoever asks churn has to know. If they do: npm run promote -- churn 4 --force",
      );
    });

    it("where the server cannot load it, whatever is wanted", async () => {
      await world.close();
      await open("dev", { server: "SKLEARN_SERVER" });
      expect(await refusal("4", { force: true })).to.match(
        /^model churn cannot be version 4 \(xgboost-ubj\), which SKLEARN_SERVER cannot load/,
      );
    });

    it("where nobody could see that it answers right", async () => {
      world.hold(4, { more: "" });
      expect(await refusal()).to.match(
        /^nobody could see that version 4 of churn answers right: neither rows .* --force$/,
      );
    });
  });

  it("takes other columns, and what nobody can ask, where that is wanted", async () => {
    world.hold(4, { inputs: "[]", more: "" });
    const { out } = await promote("4", { force: true });
    expect(world.state()).to.deep.equal(after);
    expect(out).to.include('"state":"skipped","detail":"not checked: neither rows');
  });

  it("takes the version that a training has crowned, before one that has lost, and goes on where it was stopped", async () => {
    world.hold(5);
    world.aliases["champion"] = "5";
    await rejection(promote(undefined, { deploy: () => Promise.reject(new UserError("no room")) }));
    expect(world.state().lock).to.equal(3);
    world.decide(5);
    await promote();
    expect(world.state()).to.deep.include({
      lock: 5,
      served: "5",
      aliases: { champion: "5", challenger: "4" },
    });
  });

  describe("for a branch", () => {
    it("only writes the lock", async () => {
      await world.close();
      await open("prod");
      const deploy = () => Promise.reject(new Error("deployed"));
      const { out } = await promote("4", { branch: true, deploy });
      expect(out).to.match(/"event":"lock","stack":"prod",.*"changes":"version 3 → 4, .*","changed":true/);
      expect(world.fake.changes).to.deep.equal([]);
      expect(world.state()).to.deep.include({ lock: 4, served: "3" });
      expect((await promote("4", { branch: true, deploy })).out).to.include('"changed":false');
    });

    it("is refused in dev, whose lock is not in git", async () => {
      expect(await refusal("4", { branch: true })).to.match(/^the lock of stack dev is not in git/);
      expect(world.state()).to.deep.equal(before);
    });
  });

  describe("compares what serves with what is to come", () => {
    const compared = async () =>
      (await promote("4")).out.split("\n").map((line) => JSON.parse(line || "{}") as Event);
    type Event = Readonly<Record<string, unknown>>;
    const comparison = async () => {
      const events = await compared();
      const warnings = events.filter(({ event }) => event === "warning").map(({ message }) => message);
      const found = events.find(({ event }) => event === "comparison") ?? {};
      return { ...found, warnings } as Event;
    };

    it("on the same rows, where the training has measured both", async () => {
      world.hold(4, { metrics: { test_score: 0.4, champion_test_score: 0.45 } }).tags["compared_with"] = "3";
      const found = await comparison();
      expect(found).to.deep.include({ sameRows: { from: 0.45, to: 0.4 }, sameData: true, worse: true });
      expect(found["warnings"]).to.deep.equal([
        "version 4 is worse than version 3: test_score 0.4, not 0.45, on the same rows.",
      ]);
    });

    it("by each run's own scores, where it was compared with another version", async () => {
      world.hold(4, { metrics: { test_score: 0.2 }, data: "d2" }).tags["compared_with"] = "2";
      const found = await comparison();
      expect(found).to.deep.include({ sameRows: null, sameData: false, worse: true });
      expect(found["signature"]).to.deep.include({ state: "unchanged", columns: [] });
      expect(found["warnings"]).to.deep.equal([
        "version 4 is worse than version 3: test_score 0.2, not 0.3, by its own run, not on the same rows.",
      ]);
    });
  });

  describe("that fails", () => {
    it("puts back what was before, where the new version answers something else", async () => {
      world.wrong.set("4", 7);
      const message = await refusal();
      expect(message).to.match(/^version 4 of churn is not in service: .*\n {4}row 0: answered 7, training/);
      expect(message).to.include("Back in service: version 3. The registry was told nothing.");
      expect(world.state()).to.deep.equal(before);
    });

    it("only puts the lock back, where nothing was deployed", async () => {
      const deploy = () => Promise.reject(new UserError("no room"));
      expect(await refusal("4", { deploy })).to.equal(
        "version 4 of churn is not in service: no room\n  Nothing was deployed, and the lock is as it was.",
      );
      expect(world.state()).to.deep.equal(before);
    });

    it("says how to go on, where what was before cannot be deployed either", async () => {
      let runs = 0;
      const deploy = () => {
        world.served = world.filesOf(4);
        return Promise.reject(new UserError(`failure ${(runs += 1)}`));
      };
      expect(await refusal("4", { deploy })).to.equal(
        "version 4 of churn is not in service: failure 1\n  The lock says version 3 again, which could not be " +
          "deployed: failure 2\n  To go on with that: npm run up",
      );
      expect(world.state()).to.deep.include({ lock: 3, aliases: before.aliases });
    });

    it("stays in service where the registry cannot be told, and the same command finishes", async () => {
      const address =
        Object.keys(world.fake.answers).find((one) => one.endsWith("registered-models/alias")) ?? "";
      const answer = world.fake.answers[address];
      world.fake.answers[address] = [503, "no endpoints"];
      expect(await refusal()).to.match(
        /^version 4 of churn serves, and .*503[^]*To finish: npm run promote -- churn 4$/,
      );
      expect(world.state()).to.deep.equal({ ...before, lock: 4, served: "4" });
      world.fake.answers[address] = answer;
      await promote("4");
      expect(world.state()).to.deep.equal(after);
    });

    it("keeps what somebody else has decided meanwhile", async () => {
      const deploy = () => {
        rewriteLock(world.what.file, "dev", (now) => {
          const [one] = Object.values(now);
          return one === undefined
            ? {}
            : { [world.what.wish]: { ...one, decided: { ...one.decided, by: "bob" } } };
        });
        return Promise.reject(new UserError("late"));
      };
      await refusal("4", { deploy });
      expect(decisionsIn(world.what.file)[world.what.wish]).to.include({ version: 4 });
    });
  });

  describe("that is told to stop", () => {
    const stop = async (begun: boolean) => {
      const controller = new AbortController();
      const interrupted = new Interrupted("SIGINT");
      const deploy = () => {
        if (begun) world.served = world.filesOf(4);
        controller.abort(interrupted);
        return Promise.reject(interrupted);
      };
      return rejection(promote("4", { deploy, signal: controller.signal }));
    };

    it("puts the lock back where nothing was deployed", async () => {
      const error = await stop(false);
      expect(error).to.include({ exitCode: 130 });
      expect(error.message).to.equal("stopped by SIGINT. Nothing was deployed, and the lock is as it was.");
      expect(world.state()).to.deep.equal(before);
    });

    it("says what goes on and what goes back where something was", async () => {
      await world.close();
      await open("prod");
      expect((await stop(true)).message).to.equal(
        "stopped by SIGINT on the way to version 4 of churn, which the lock names now.\n" +
          "  To go on: npm run promote -- churn 4 --stack prod\n" +
          "  To go back: npm run promote -- churn 3 --stack prod",
      );
      expect(world.state().lock).to.equal(4);
      await promote("3");
      expect(world.state()).to.deep.equal({ ...before, tags: { 3: { "serves.prod": "since" }, 4: {} } });
    });
  });

  describe("that is killed at any moment", () => {
    const killedAt = (moment: number) =>
      world.killedAt(moment, async (options) => promoteIn(await world.scene(), "4", options));

    it("ends in service when it is run again", async () => {
      let moment = 1;
      for (; await killedAt(moment); moment += 1) {
        await promote("4");
        expect(world.state(), `killed at moment ${moment}`).to.deep.equal(after);
        await world.close();
        await open();
      }
      expect(moment, "moments").to.be.greaterThan(10);
    });

    it("ends with what was before when it is run again and fails", async () => {
      // From the third moment on the registry is told, and the version has answered right.
      for (const moment of [1, 2]) {
        expect(await killedAt(moment)).to.equal(true);
        world.wrong.set("4", 7);
        await refusal("4");
        expect(world.state(), `killed at moment ${moment}`).to.deep.equal(before);
        await world.close();
        await open();
      }
    });
  });
});
