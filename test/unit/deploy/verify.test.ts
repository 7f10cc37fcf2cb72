import type { EngineEvent } from "@pulumi/pulumi/automation";
import { expect } from "chai";

import { type Declared, DeclaredObjects } from "../../../cli/deploy/declared";
import { verify } from "../../../cli/deploy/verify";
import { UserError } from "../../../cli/errors";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";
import { record } from "../cluster/support/helmRecord";
import { of, pod, waiting } from "../diagnosis/support";
import { rejection } from "../support/rejection";

describe("what a stack declares", () => {
  const declared = (type: string, inputs: object, op = "same") => {
    const objects = new DeclaredObjects();
    const metadata = { op, urn: "urn", type, new: { type, urn: "urn", inputs } };
    objects.onEvent({ resOutputsEvent: { metadata } } as unknown as EngineEvent);
    return objects.all;
  };

  it("is gathered from what the engine tells, of the unchanged too: releases, Jobs and versions that are to serve", () => {
    expect(declared("kubernetes:helm.sh/v3:Release", { name: "mlflow", namespace: "mlflow" })).to.deep.equal([
      { kind: "Release", namespace: "mlflow", name: "mlflow", predictors: [] },
    ]);
    const metadata = { name: "wine", namespace: "ml-models" };
    const predictor = (version: string, more: object = {}) => ({
      ...{ name: `default-${version}`, annotations: { version } },
      ...more,
    });
    const spec = { predictors: [predictor("1a"), predictor("2b", { replicas: 0 })] };
    const type = "kubernetes:machinelearning.seldon.io/v1:SeldonDeployment";
    expect(declared(type, { kind: "SeldonDeployment", metadata, spec })).to.deep.equal([
      {
        ...{ kind: "SeldonDeployment", namespace: "ml-models", name: "wine" },
        predictors: [{ name: "default-1a", version: "1a" }],
      },
    ]);
    expect(declared("kubernetes:core/v1:Secret", { metadata })).to.deep.equal([]);
    const removed = { op: "delete", urn: "urn", type: "kubernetes:helm.sh/v3:Release", new: null };
    const objects = new DeclaredObjects();
    objects.onEvent({ resOutputsEvent: { metadata: removed } } as unknown as EngineEvent);
    expect(objects.all).to.deep.equal([]);
    // A refresh tells of what the state has, and the program perhaps no longer.
    const release = { name: "mlflow", namespace: "mlflow" };
    expect(declared("kubernetes:helm.sh/v3:Release", release, "refresh")).to.deep.equal([]);
  });
});

describe("the check that what is declared is so", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let api: FakeApi;
  const release: Declared = { kind: "Release", namespace: "mlflow", name: "mlflow", predictors: [] };
  const job: Declared = { kind: "Job", namespace: "ml-models", name: "train-1", predictors: [] };
  const model: Declared = {
    ...{ kind: "SeldonDeployment", namespace: "ml-models", name: "wine" },
    predictors: [{ name: "default-2b", version: "2b" }],
  };
  const jobAddress = "/apis/batch/v1/namespaces/ml-models/jobs/train-1";
  const pods = "/api/v1/namespaces/ml-models/pods";
  const deployments = "/apis/apps/v1/namespaces/mlflow/deployments";

  const helm = (status: string, description = "") => {
    const payload = { info: { description }, chart: { metadata: { name: "mlflow", version: "1" } } };
    api.answers["/api/v1/namespaces/mlflow/secrets"] = { items: [record("mlflow", 3, status, payload)] };
  };
  /** The release has one Deployment, of whose pod so many are ready. */
  const running = (readyReplicas: number, more: object = {}, replicas = 1) => {
    const metadata = { name: "mlflow", annotations: { "meta.helm.sh/release-name": "mlflow" } };
    const status = { readyReplicas, ...more };
    api.answers[deployments] = { items: [{ metadata, spec: { replicas }, status }] };
  };
  /** A model of which version `version` has so many pods ready. */
  const serving = (version: string, ready: number, state = "Creating") => {
    const predictor = {
      ...{ name: `default-${version}`, annotations: { version }, replicas: 1 },
      ...{ componentSpecs: [{ spec: { containers: [{ name: "model" }] } }], graph: {} },
    };
    const deploymentStatus = { [`wine-default-${version}-0-model`]: { availableReplicas: ready } };
    api.answers["/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments"] = {
      items: [
        {
          metadata: { name: "wine", namespace: "ml-models", uid: "wine" },
          spec: { predictors: [predictor] },
          status: { state, deploymentStatus },
        },
      ],
    };
  };
  const failing = (name: string) =>
    pod(name, {
      metadata: { labels: { "seldon-deployment-id": "wine" }, ...of("ReplicaSet", "set") },
      containers: { model: { state: waiting("ImagePullBackOff", 'Back-off pulling image "app:1"') } },
    });
  const check = async (...declared: readonly Declared[]) => {
    const details: string[] = [];
    const step = { detail: (text: string) => details.push(text) };
    await verify(api.cluster, declared, step, new AbortController().signal);
    return details;
  };
  const refused = async (...declared: readonly Declared[]) => {
    const error = await rejection(check(...declared));
    expect(error).to.be.instanceOf(UserError);
    return error.message;
  };

  beforeEach(async () => {
    api = await fakeApi({});
    api.answers["/apis/apps/v1/namespaces/ml-models/replicasets"] = {
      items: [{ metadata: { name: "set", uid: "set", annotations: {} }, spec: {}, status: {} }],
    };
  });
  afterEach(() => api.close());

  it("ends at once where it is", async () => {
    helm("deployed");
    running(1);
    serving("2b", 1, "Available");
    api.answers[jobAddress] = { status: { conditions: [{ type: "Complete", status: "True" }] } };
    expect(await check(release, job, model)).to.deep.equal([
      "1 releases deployed, 1 Jobs ended, 1 models ready",
    ]);
    expect(api.changes).to.deep.equal([]);
  });

  it("does not miss a Job that has ended and was removed", async () => {
    expect(await check(job)).to.deep.equal(["0 releases deployed, 1 Jobs ended, 0 models ready"]);
  });

  for (const [what, status, message] of [
    ["failed", "failed", "has failed (revision 3): timed out"],
    ["was cut off", "pending-upgrade", "is pending-upgrade"],
  ] as const)
    it(`tells of a release that ${what}, though the engine calls it unchanged`, async () => {
      helm(status, "timed out");
      expect(await refused(release)).to.equal(
        `release mlflow in mlflow ${message}.\n  See what is wrong: npm run doctor`,
      );
    });

  it("tells of what is not there at all", async () => {
    expect(await refused(release)).to.contain("release mlflow in mlflow is not in the cluster");
    expect(await refused(model)).to.contain("model wine in ml-models is not in the cluster");
  });

  it("tells of a model that serves another version than the declared one", async () => {
    serving("1a", 1, "Available");
    expect(await refused(model)).to.contain("model wine in ml-models does not have the declared hash 2b");
  });

  it("tells of a failed Job, with its log", async () => {
    const condition = { type: "Failed", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" };
    const failed = {
      metadata: { name: "train-1", uid: "j" },
      spec: {},
      status: { failed: 3, conditions: [condition] },
    };
    api.answers[jobAddress] = failed;
    api.answers["/apis/batch/v1/namespaces/ml-models/jobs"] = { items: [failed] };
    expect(await refused(job)).to.contain(
      "Job train-1 in ml-models has failed: Job train-1 has failed (3 attempts)",
    );
  });

  it("tells of a release that has nothing that runs", async () => {
    helm("deployed");
    expect(await refused(release)).to.contain("is deployed, and what it has installed is gone");
  });

  it("tells of a release that was scaled to 0", async () => {
    helm("deployed");
    running(0, {}, 0);
    expect(await refused(release)).to.contain("release mlflow in mlflow is scaled to 0 pods (mlflow)");
  });

  for (const [what, ready, more, said] of [
    ["are on their way", 0, {}, "0/1 ready"],
    ["fail beside those of the version before", 1, { replicas: 2 }, "1/1 ready, 0 of the new version"],
  ] as const)
    it(`waits for pods that ${what}, and says so`, async () => {
      helm("deployed");
      running(ready, { updatedReplicas: 1, ...more });
      setTimeout(() => {
        running(1);
      }, 500);
      expect(await check(release)).to.deep.equal([
        `release mlflow in mlflow has ${said} (mlflow)`,
        "1 releases deployed, 0 Jobs ended, 0 models ready",
      ]);
    });

  it("waits until no pod of the version before answers, where the pods are replaced one by one", async () => {
    const [name, version] = ["default-scaled", "2b"];
    const labels = { "mlplatform/version": version };
    const componentSpecs = [{ spec: { containers: [{ name: "model" }] }, hpaSpec: { minReplicas: 2 } }];
    const predictor = { name, annotations: { version }, labels, graph: {}, componentSpecs };
    const pods = (all: number, updatedReplicas: number) => {
      api.answers["/apis/apps/v1/namespaces/ml-models/deployments"] = {
        items: [
          {
            metadata: { name: `wine-${name}-0-model`, labels },
            spec: { replicas: 2 },
            status: { replicas: all, readyReplicas: all, updatedReplicas },
          },
        ],
      };
    };
    api.answers["/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments"] = {
      items: [
        { metadata: { name: "wine", namespace: "ml-models" }, spec: { predictors: [predictor] }, status: {} },
      ],
    };
    const told = (all: number, updated: number, next: () => void) => {
      pods(all, updated);
      setTimeout(next, 500);
      return check({ ...model, predictors: [{ name, version }] });
    };
    const done = () => {
      pods(2, 2);
    };
    expect(await told(3, 1, done)).to.include("model wine in ml-models has 1 of 2 pods of hash 2b ready");
    expect(await told(3, 2, done)).to.include("model wine in ml-models still has 1 of the version before");
  });

  it("starts a pod again that only waits for its next try, and ends well where its cause is gone", async () => {
    serving("2b", 0);
    api.answers[pods] = { items: [failing("wine-1")] };
    api.answers[`${pods}/wine-1`] = failing("wine-1");
    setTimeout(() => {
      serving("2b", 1, "Available");
    }, 500);
    expect((await check(model)).at(-1)).to.contain("1 models ready");
    expect(api.changes).to.deep.equal([`DELETE ${pods}/wine-1`]);
  });

  it("fails again with the same reason while the cause is there: the old version answers, and is not the declared one", async () => {
    serving("2b", 0);
    api.answers[pods] = { items: [failing("wine-1")] };
    api.answers[`${pods}/wine-1`] = failing("wine-1");
    setTimeout(() => {
      api.answers[pods] = { items: [failing("wine-2")] };
    }, 500);
    expect(await refused(model)).to.match(
      /^model wine in ml-models has 0 of 1 pods of hash 2b ready: image app:1 .*cannot be pulled/,
    );
  });

  it("is not led astray by a clock of this machine that is off", async () => {
    const now = Date.now;
    for (const hours of [1, -1]) {
      Date.now = () => now() + hours * 3_600_000;
      try {
        await api.cluster.version();
        expect(Math.abs(api.cluster.now().getTime() - now()), `${hours} h`).to.be.lessThan(60_000);
      } finally {
        Date.now = now;
      }
    }
  });

  it("deletes a pod of a StatefulSet that blocks its successor, and goes on", async () => {
    helm("deployed");
    const own = { "meta.helm.sh/release-name": "mlflow", "meta.helm.sh/release-namespace": "mlflow" };
    const set = (readyReplicas: number) => ({
      metadata: { name: "mlflow", uid: "mlflow", annotations: own },
      spec: { replicas: 1 },
      status: { replicas: 1, readyReplicas, updatedReplicas: readyReplicas, updateRevision: "mlflow-2" },
    });
    const former = pod("mlflow-0", {
      metadata: {
        namespace: "mlflow",
        labels: { "controller-revision-hash": "mlflow-1" },
        ...of("StatefulSet", "mlflow"),
      },
      containers: { mlflow: { state: waiting("ImagePullBackOff", 'Back-off pulling image "app:1"') } },
    });
    const sets = "/apis/apps/v1/namespaces/mlflow/statefulsets";
    const address = "/api/v1/namespaces/mlflow/pods";
    Object.assign(api.answers, {
      [sets]: { items: [set(0)] },
      [address]: { items: [former] },
      [`${address}/mlflow-0`]: {},
    });
    const checked = check(release);
    while (api.changes.length === 0) await new Promise(setImmediate);
    Object.assign(api.answers, { [sets]: { items: [set(1)] }, [address]: { items: [] } });
    expect((await checked)[0]).to.contain("pod mlflow-0 is of the former version and blocks the new one");
    expect(api.changes).to.deep.equal([`DELETE ${address}/mlflow-0`]);
  });
});
