import { expect } from "chai";

import { withCanary } from "../../../config/canary";
import type { ModelConfig } from "../../../config/models";
import { Interrupted } from "../../../cli/errors";
import { decisionsIn, rewriteLock } from "../../../cli/registry/lockFile";
import { type Counts, countsOf } from "../../../cli/registry/promotion/canary/counts";
import { apart } from "../../../cli/registry/promotion/canary/look";
import { type Rule, type Seen, judge } from "../../../cli/registry/promotion/canary/rule";
import type { Trial } from "../../../cli/registry/promotion/canary/trial";
import { promoteIn } from "../../../cli/registry/promotion/promoting";
import { rollBackIn } from "../../../cli/registry/promotion/rollingBack";
import { outputOf } from "../support/output";
import { rejection } from "../support/rejection";
import { FakeWorld } from "./support/fakeWorld";

const rule: Rule = { steps: [25, 50], minutes: 1, requests: 100, errors: 1, latency: 2 };

/** What was counted of a predictor whose answers all took so many milliseconds. */
function counts(requests: number, failed = 0, milliseconds = 10): Counts {
  const limits = [1, 10, 25, Infinity].map((limit) => [limit, limit < milliseconds ? 0 : requests] as const);
  return { requests, failed, within: new Map(limits) };
}

const well: Seen = { main: counts(900), canary: counts(100), difference: 0.02 };

describe("the rule of a trial", () => {
  for (const [what, seen, state, reason] of [
    ["as good as what serves", {}, "well", undefined],
    ["too few requests to judge by", { canary: counts(99, 99) }, "few", undefined],
    ["errors within the bound", { canary: counts(100, 1) }, "well", undefined],
    [
      "more errors",
      { canary: counts(100, 2) },
      "bad",
      /^2\.0 % of its requests failed, and 0\.0 % of those to what serves/,
    ],
    ["errors of both", { main: counts(900, 90), canary: counts(100, 11) }, "well", undefined],
    [
      "slow answers",
      { canary: counts(100, 0, 25) },
      "bad",
      /^95 % of its answers took up to 24 ms, and 9.6 ms of what serves/,
    ],
    ["nobody else to compare with", { main: counts(0) }, "well", undefined],
  ] as const)
    it(`finds ${what} ${state}`, () => {
      const verdict = judge(rule, { ...well, ...seen }, true);
      expect(verdict.state).to.equal(state);
      if (reason === undefined) expect(verdict.reasons).to.deep.equal([]);
      else expect(verdict.reasons.join()).to.match(reason);
    });

  it("bounds the difference of answers where it is asked to, and tells all that is wrong", () => {
    const wrong = { ...well, canary: counts(100, 50, 25), difference: 0.3 };
    expect(judge(rule, { ...well, difference: 0.3 }, true).state).to.equal("well");
    expect(judge({ ...rule, difference: 0.1 }, wrong, true).reasons).to.have.length(3);
    expect(judge({ ...rule, difference: 0.1 }, { ...well, difference: undefined }, true).state).to.equal(
      "well",
    );
  });

  it("is hasty only where it cannot be chance", () => {
    const noisy = { ...well, main: counts(900, 18), canary: counts(100, 6) };
    expect(judge(rule, noisy, false).state).to.equal("well");
    expect(judge(rule, { ...noisy, canary: counts(100, 30) }, false).state).to.equal("bad");
    expect(judge(rule, { ...well, canary: counts(100, 0, 25) }, false).state, "not twice the bound").to.equal(
      "well",
    );
    // A new pod's first answers may be slow.
    const slow = (many: number) => ({
      ...counts(100),
      within: new Map(
        [1, 10, 25, 100, Infinity].map((limit) => [limit, limit < 10 ? 0 : limit < 100 ? 100 - many : 100]),
      ),
    });
    expect(judge(rule, { ...well, canary: slow(10) }, false).state, "ten slow ones").to.equal("well");
    expect(judge(rule, { ...well, canary: slow(20) }, false).state, "twenty").to.equal("bad");
    expect(judge(rule, { ...well, canary: slow(8) }, true).state, "eight at the end").to.equal("well");
    expect(judge(rule, { ...well, canary: slow(12) }, true).state, "twelve").to.equal("bad");
  });

  it("finds slow answers wherever in a bucket the bound lies", () => {
    const limits = [1, 5, 10, 25, 50, 100, Infinity];
    const all = (requests: number, milliseconds: number) => ({
      ...counts(requests),
      within: new Map(limits.map((limit) => [limit, limit < milliseconds ? 0 : requests])),
    });
    for (const [main, canary] of [
      [11, 49],
      [3, 9.9],
    ] as const)
      expect(judge(rule, { ...well, main: all(900, main), canary: all(100, canary) }, true).state).to.equal(
        "bad",
      );
  });

  it("goes by what Envoy counts, of all pods and both protocols", () => {
    const text = `# TYPE envoy_cluster_upstream_rq_xx counter
envoy_cluster_upstream_rq_total{envoy_cluster_name="canary-rest"} 97
envoy_cluster_upstream_rq_active{envoy_cluster_name="canary-rest"} 2
envoy_cluster_upstream_rq_total{envoy_cluster_name="canary-grpc"} 6
envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="canary-rest"} 90
envoy_cluster_upstream_rq_xx{envoy_response_code_class="5",envoy_cluster_name="canary-rest"} 4
envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="canary-grpc"} 6
envoy_cluster_upstream_rq_xx{envoy_response_code_class="5",envoy_cluster_name="default-rest"} 7
envoy_cluster_grpc_failure{envoy_cluster_name="canary-grpc"} 2
envoy_cluster_upstream_cx_connect_fail{envoy_cluster_name="canary-rest"} 1
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="canary-rest",le="5"} 94
envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="canary-rest",le="+Inf"} 94
`;
    const { requests, failed, within } = countsOf([text, text], "canary");
    expect({ requests, failed, within: [...within] }).to.deep.equal({
      // Of each pod: 4 errors, an answer that nobody waited for, a connection that was not made, 2 of gRPC.
      ...{ requests: 204, failed: 16 },
      within: [
        [5, 188],
        [Infinity, 188],
      ],
    });
  });

  it("takes the distance of numbers relative to their size", () => {
    const answer = (...ndarray: (number | string)[]) => ({ data: { ndarray: ndarray.map((one) => [one]) } });
    expect(apart(answer(100, 300), answer(110, 310))).to.equal(0.05);
    expect(apart(answer("a"), answer("b"))).to.equal(undefined);
    expect(apart(answer(1), answer(1, 2))).to.equal(undefined);
  });
});

describe("a promotion by a trial", function () {
  this.timeout(60_000);
  let world: FakeWorld;
  beforeEach(async () => {
    world = await FakeWorld.challenged("dev", { canary: rule });
  });
  afterEach(() => world.close());

  const trial = (look: Trial["look"] = () => Promise.resolve(well), percent = 10): { trial: Trial } => ({
    trial: { percent, look, pace: { pause: 0, minute: 0 } },
  });
  /** A trial that the user stops at its first look. */
  const stoppedTrial = () => {
    const stop = new AbortController();
    const look = () => {
      stop.abort(new Interrupted("SIGINT"));
      return Promise.resolve({ ...well, canary: counts(1) });
    };
    return { ...trial(look), signal: stop.signal };
  };
  /** Deploys what the lock says, what is tried too. */
  const deploy = async () => {
    await world.options().deploy({});
    const { canary } = lock();
    if (canary !== undefined) world.served = world.filesOf(canary.version);
  };
  const promote = async (word?: string, change: Parameters<FakeWorld["options"]>[0] = trial()) =>
    outputOf(async () => promoteIn(await world.scene(), word, world.options({ deploy, ...change })));
  const lock = () => {
    const all = decisionsIn(world.what.file);
    return {
      names: Object.keys(all),
      canary: all[world.what.wish]?.canary,
      version: all[world.what.wish]?.version,
    };
  };
  const alone = (version: number) => ({ names: ["models:/churn@champion"], canary: undefined, version });

  it("goes by growing shares, each of them deployed and watched, and then takes the place of what serves", async () => {
    const shares: unknown[] = [];
    const deployed: unknown[] = [];
    world.onChange = (what) => {
      if (what === "before deploy") deployed.push(lock().canary?.percent ?? "alone");
    };
    const { out } = await promote(
      undefined,
      trial(() => {
        shares.push(lock().canary);
        return Promise.resolve(well);
      }),
    );
    expect(shares).to.deep.equal([10, 25, 50].map((percent) => ({ version: 4, percent })));
    expect(deployed).to.deep.equal([10, 25, 50, "alone"]);
    expect(lock()).to.deep.equal(alone(4));
    expect(world.aliases["champion"]).to.equal("4");
    expect(out).to.include(
      '"event":"canary","stack":"dev","model":"churn","version":4,"percent":50,"well":true',
    );
    expect(out).to.include('"event":"promote","stack":"dev","model":"churn","version":4,"from":3');
  });

  it("goes back at once where the rule says so, and the registry is told nothing", async () => {
    let looks = 0;
    const look = () => Promise.resolve((looks += 1) === 1 ? well : { ...well, canary: counts(100, 5) });
    const { message } = await rejection(promote(undefined, trial(look)));
    expect(message).to.match(
      /^version 4 of churn is not promoted: 5\.0 % of its requests failed.*\n {2}It is out of service again/,
    );
    expect(lock()).to.deep.equal(alone(3));
    expect(world.aliases).to.deep.equal({ champion: "3", challenger: "4" });
  });

  it("goes back where too few ask it, and where nobody can watch", async () => {
    const few = () => Promise.resolve({ ...well, canary: counts(7) });
    expect((await rejection(promote(undefined, trial(few)))).message).to.include(
      "it got 7 requests, too few to judge by",
    );
    const blind = () => Promise.reject(new Error("no splitter"));
    expect((await rejection(promote(undefined, trial(blind)))).message).to.include("it could not be watched");
    expect(lock()).to.deep.equal(alone(3));
  });

  it("goes back where it cannot be deployed, and deploys nothing else then", async () => {
    let deployments = 0;
    const refused = () => {
      deployments += 1;
      return Promise.reject(new Error("nothing was changed."));
    };
    const { message } = await rejection(promote(undefined, { ...trial(), deploy: refused }));
    expect(message).to.match(
      /is not promoted: nothing was changed\.\n {2}Nothing of it was deployed, and the lock is as it was\.$/,
    );
    expect([deployments, lock()]).to.deep.equal([1, alone(3)]);
  });

  it("leaves to others what they have decided meanwhile", async () => {
    let looks = 0;
    const look = () => {
      looks += 1;
      if (looks === 2) world.decide(3);
      return Promise.resolve(well);
    };
    const { message } = await rejection(promote(undefined, trial(look)));
    expect(message).to.match(
      /^version 4 of churn is not tried any further, as somebody else has decided meanwhile/,
    );
    expect([looks, world.aliases["champion"], lock().version, lock().canary]).to.deep.equal([
      2,
      "3",
      3,
      undefined,
    ]);
  });

  it("is finished by the same command where it was killed on the way to serving alone", async () => {
    world.decide(4);
    world.served = world.filesOf(4);
    const { out } = await promote(
      "4",
      trial(() => Promise.reject(new Error("nothing is tried"))),
    );
    expect(out).to.include('"event":"promote"').and.to.include('"version":4');
    expect([lock(), world.aliases["champion"]]).to.deep.equal([alone(4), "4"]);
  });

  it("is refused before anything is tried where nobody could see it answer right, or nothing serves", async () => {
    world.hold(4, { more: "" });
    const deployed = () => Promise.reject(new Error("deployed"));
    expect((await rejection(promote("4", { ...trial(), deploy: deployed }))).message).to.match(
      /^nobody could see that/,
    );
    expect(lock()).to.deep.equal(alone(3));
    rewriteLock(world.what.file, "dev", () => ({}));
    expect((await rejection(promote("4", trial()))).message).to.match(/^nothing of churn is in service/);
  });

  it("stays as it is when the user stops it, and goes on or back from there", async () => {
    const stopped = stoppedTrial();
    const { message } = await rejection(promote(undefined, stopped));
    expect(message).to.match(
      /tried\. It stays in service.*\n {2}To go on: .*promote -- churn 4 --canary PERCENT\n {2}To go back: npm run rollback -- churn/,
    );
    expect(lock().canary).to.deep.equal({ version: 4, percent: 10 });
    world.hold(5);
    world.aliases["challenger"] = "5";
    await outputOf(async () => {
      await rollBackIn(await world.scene(), world.options());
    });
    expect(lock()).to.deep.equal(alone(3));
  });

  it("takes up what somebody was stopped at", async () => {
    const stopped = stoppedTrial();
    await rejection(promote(undefined, stopped));
    world.hold(5);
    world.aliases["challenger"] = "5";
    await promote(undefined, trial(undefined, 25));
    expect(lock()).to.deep.equal(alone(4));
  });

  it("takes another version in place of the one that is tried, of which nothing stays in the lock", async () => {
    const stopped = stoppedTrial();
    await rejection(promote("4", stopped));
    world.hold(5);
    await rejection(promote("5", stopped));
    expect(lock().names.sort()).to.deep.equal(["models:/churn/5", "models:/churn@champion"]);
    expect(lock().canary).to.deep.equal({ version: 5, percent: 10 });
  });

  for (const [what, change, reason] of [
    [
      "a model with predictors of its own",
      { predictors: [] },
      /has predictors of its own in Pulumi\.dev\.yaml/,
    ],
    ["--branch", {}, /^--canary watches what is deployed, and --branch/],
  ] as const)
    it(`is refused for ${what}`, async () => {
      await world.close();
      world = await FakeWorld.challenged("dev", { canary: rule, ...change });
      const branch = what === "--branch";
      const { message } = await rejection(promote(undefined, { ...trial(), branch }));
      expect(message).to.match(reason);
      expect(lock()).to.deep.equal(alone(3));
    });
});

describe("a model of which the lock tries a version", () => {
  const wish = "models:/churn@champion";
  const decisions = { [wish]: { canary: { version: 4, percent: 10 } } } as unknown as Parameters<
    typeof withCanary
  >[1];
  it("has it as a predictor beside its own", () => {
    const model = { name: "churn", model: wish } as ModelConfig;
    expect(withCanary(model, decisions).predictors).to.deep.equal([
      { name: "default", traffic: 90, shadow: false },
      { name: "canary", traffic: 10, shadow: false, model: "models:/churn/4" },
    ]);
    expect(withCanary(model, {})).to.equal(model);
    const own = { ...model, predictors: [] };
    expect(withCanary(own, decisions)).to.equal(own);
  });
});
