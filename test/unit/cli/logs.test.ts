import { expect } from "chai";

import { logs } from "../../../cli/commands/logs";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";
import { outputOf } from "../support/output";
import { rejection } from "../support/rejection";

const pods = "/api/v1/namespaces/ml-models/pods";

/** A pod of a model, with a container that was started again and one that waits. */
function pod(name: string, created: string, run: string) {
  return {
    metadata: { name, namespace: "ml-models", creationTimestamp: created },
    spec: { initContainers: [{ name: "fetch" }], containers: [{ name: "model" }] },
    status: {
      phase: "Running",
      initContainerStatuses: [{ name: "fetch", state: { waiting: { reason: "ImagePullBackOff" } } }],
      containerStatuses: [
        { name: "model", containerID: run, state: { running: {} }, lastState: { terminated: {} } },
      ],
    },
  };
}

describe("npm run logs", function () {
  this.timeout(60_000);
  let api: FakeApi;

  before(async () => {
    api = await fakeApi({
      "/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments": {
        items: [{ metadata: { name: "wine", namespace: "ml-models" }, spec: { predictors: [] } }],
      },
      "/apis/batch/v1/namespaces/ml-models/jobs": {
        items: ["wine-train-ab12", "other"].map((name) => ({ metadata: { name, namespace: "ml-models" } })),
      },
      "/api/v1/namespaces/mlflow/pods": { items: [{}] },
      [`${pods}?labelSelector=seldon-deployment-id=wine`]: {
        items: [pod("wine-b", "2026-02", "b1"), pod("wine-a", "2026-01", "a1")],
      },
      [`${pods}?labelSelector=batch.kubernetes.io/job-name=wine-train-ab12`]: {
        items: [{ ...pod("train-1", "2026-01", "t1"), spec: { containers: [{ name: "model" }] } }],
      },
      [`${pods}/wine-a/log?container=model`]: "a one\na two\n",
      [`${pods}/wine-b/log?container=model`]: "b one\n",
      [`${pods}/wine-b/log?container=model&previous=true&sinceSeconds=60&tailLines=1`]: "b before\n",
      [`${pods}/wine-a/log?container=model&previous=true&sinceSeconds=60&tailLines=1`]: [
        400,
        { kind: "Status", message: "previous terminated container not found" },
      ],
      [`${pods}/train-1/log?container=model`]: "trained\n",
    });
  });
  after(() => api.close());

  const run = (name: string | undefined, options = {}) =>
    outputOf(() => logs(name, { context: "test", ...options }));

  it("lists what has logs", async () => {
    const { out } = await run(undefined, { json: true });
    expect((JSON.parse(out) as { sources: object[] }).sources).to.deep.equal([
      { name: "wine", kind: "model", namespace: "ml-models", labels: "seldon-deployment-id=wine" },
      { name: "mlflow", kind: "platform", namespace: "mlflow", labels: "!batch.kubernetes.io/job-name" },
      {
        ...{ name: "wine-train-ab12", kind: "training", namespace: "ml-models" },
        labels: "batch.kubernetes.io/job-name=wine-train-ab12",
      },
      {
        ...{ name: "other", kind: "job", namespace: "ml-models" },
        labels: "batch.kubernetes.io/job-name=other",
      },
    ]);
  });

  it("shows all containers, oldest pod first, and says which have not started", async () => {
    expect(await run("wine")).to.deep.equal({
      out: "wine-a/model a one\nwine-a/model a two\nwine-b/model b one\n",
      err:
        "wine-a/fetch has not started: ImagePullBackOff\n" +
        "wine-b/fetch has not started: ImagePullBackOff\n",
      result: undefined,
    });
  });

  it("shows a single container as it is, also by the beginning of a training's name", async () => {
    expect((await run("wine-train")).out).to.equal("trained\n");
  });

  it("passes on which part is wanted, and says which logs are gone", async () => {
    const wanted = { previous: true, since: 60, tail: 1 };
    const gone = "wine-a/model: previous terminated container not found";
    expect(await run("wine", wanted)).to.deep.equal({
      out: "wine-b/model b before\n",
      err: `${gone}\n`,
      result: undefined,
    });
    const bs = `${pods}/wine-b/log?container=model&previous=true&sinceSeconds=60&tailLines=1`;
    api.answers[bs] = [400, { kind: "Status", message: "gone too" }];
    expect((await rejection(run("wine", wanted))).message).to.equal(`${gone}; wine-b/model: gone too`);
  });

  it("follows containers that start meanwhile, until it is told to stop", async () => {
    const wine = `${pods}?labelSelector=seldon-deployment-id=wine`;
    const before = api.answers[wine];
    const own = `${pods}/wine-a/log?container=model`;
    Object.assign(api.answers, {
      [wine]: { items: [pod("wine-a", "2026-01", "a1")] },
      [`${own}&tailLines=1&follow=true`]: "a two\n",
      [`${own}&follow=true`]: "a again\n",
    });
    setTimeout(() => {
      api.answers[wine] = { items: [pod("wine-a", "2026-01", "a2")] };
    }, 500);
    setTimeout(() => process.emit("SIGINT"), 1_700);
    expect((await run("wine", { follow: true, tail: 1 })).out).to.equal(
      "wine-a/model a two\nwine-a/model a again\n",
    );
    api.answers[wine] = before;
  });

  it("says what there is where there is no such thing", async () => {
    const message = async (name: string, options = {}) => (await rejection(run(name, options))).message;
    expect(await message("beer")).to.equal(
      "nothing called beer has logs in the cluster of context test. There is: wine, mlflow, wine-train-ab12, other.",
    );
    expect(await message("wine", { container: "x" })).to.equal(
      "--container: wine has no container x. There is: fetch, model.",
    );
    expect(await message("mlflow", { previous: true })).to.equal(
      "--previous: no container of mlflow has been started again.",
    );
  });
});
