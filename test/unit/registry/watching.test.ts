import { expect } from "chai";

import { type Watched, watch } from "../../../cli/registry/promotion/watching";
import { rejection } from "../support/rejection";
import { FakeWorld } from "./support/fakeWorld";

describe("watching a version", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let world: FakeWorld;
  const said: string[] = [];
  const never = new AbortController().signal;
  const record = { names: ["a"], rows: [[1]], predictions: [3], libraries: {} };

  beforeEach(async () => {
    world = await FakeWorld.challenged();
    said.length = 0;
  });
  afterEach(() => world.close());

  const look = (change: Partial<Watched> = {}, signal = never) =>
    watch(
      {
        ...{ cluster: world.fake.cluster, models: ["churn"], files: world.filesOf(3) },
        question: { kind: "training", record },
        pace: { watching: 60, pause: 10, grace: 2_000, patience: 0 },
        ...change,
      },
      { detail: (text) => said.push(text) },
      signal,
    );

  it("asks it again and again", async () => {
    await look();
    expect(said.at(-1)).to.match(/^\d+ answers, each of them right$/);
    expect(world.fake.changes.length).to.be.greaterThan(2);
  });

  it("begins anew where a pod of the version before answers at first", async () => {
    world.wrong.set("3", 2);
    setTimeout(() => {
      world.wrong.clear();
    }, 100);
    await look();
    expect(said).to.include("another version answers still");
    expect(said.at(-1)).to.match(/each of them right/);
  });

  it("ends where that goes on", async () => {
    world.wrong.set("3", 2);
    const { message } = await rejection(look({ pace: { watching: 0, pause: 10, grace: 50, patience: 0 } }));
    expect(message).to.include("row 0: answered 2, training answered 3");
  });

  it("takes any answer of one of whose training no rows are known, and none for none", async () => {
    const question = { kind: "example", rows: { ndarray: [[1]] } } as const;
    world.wrong.set("3", 2);
    await look({ question });
    const [service = ""] = Object.keys(world.fake.answers).filter((one) => one.endsWith("/predictions"));
    world.fake.answers[service] = [500, { status: { info: "no" } }];
    expect((await rejection(look({ question }))).message).to.match(/the model does not answer: .*no/);
  });

  it("is of no use where nothing serves the files, and ends when it is told to", async () => {
    expect((await rejection(look({ models: ["other"] }))).message).to.match(
      /^nothing serves s3:.* no pods are wanted/,
    );
    const reason = new Error("stopped");
    expect(await rejection(look({}, AbortSignal.abort(reason)))).to.equal(reason);
  });
});
