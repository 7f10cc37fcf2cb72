import { expect } from "chai";

import type { Diagnosis } from "../../../cli/cluster/diagnosis/diagnosis";
import { ClusterWatch } from "../../../cli/cluster/diagnosis/watch";
import { type Busy, concerns, objectOf } from "../../../cli/deploy/busy";
import type { DeploymentView } from "../../../cli/deploy/view";
import {
  Hopeless,
  type NetworkLook,
  behindError,
  behindFailure,
  explanation,
  watchDeployment,
} from "../../../cli/deploy/watch";
import { EngineFailed } from "../../../cli/engine/stack";
import { UserError } from "../../../cli/errors";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";
import { ended, of, pod, running, waiting } from "../diagnosis/support";
import {
  type TestResource,
  began,
  database,
  failed,
  object,
  platform,
  release,
  shown,
  tell,
  tracking,
} from "./support";

describe("what a finding concerns", () => {
  const busy = (kind: string, namespace: string, name: string): Busy => ({
    ...{ urn: name, kind, namespace, name, doing: "creating", since: 0 },
    part: { urn: "part", title: "part" },
  });
  const found = (
    kind: string,
    namespace: string,
    name: string,
    more: Partial<Diagnosis> = {},
  ): Diagnosis => ({
    ...{ object: { kind, namespace, name }, cause: "crash", what: "why", severity: "warning" },
    ...more,
  });

  it("is the release that it belongs to, or where it belongs to nothing all of its namespace", () => {
    const mlflow = busy("Release", "mlflow", "mlflow");
    expect(concerns(found("Pod", "mlflow", "a", { release: "mlflow" }), mlflow)).to.equal(true);
    expect(concerns(found("Pod", "mlflow", "a"), mlflow)).to.equal(true);
    for (const other of [
      found("Pod", "mlflow", "a", { release: "another" }),
      found("Pod", "mlflow", "a", { job: "mlflow" }),
      found("Pod", "mlflow", "a", { model: "mlflow" }),
      found("Pod", "postgres", "a", { release: "mlflow" }),
      found("Pod", "postgres", "a"),
    ])
      expect(concerns(other, mlflow), JSON.stringify(other)).to.equal(false);
  });

  it("is the Job, the model or the object that it is about", () => {
    const ask = (finding: Diagnosis) =>
      [
        busy("Job", "ml-models", "train"),
        busy("SeldonDeployment", "ml-models", "house-price"),
        busy("PersistentVolumeClaim", "ml-models", "data"),
        busy("Secret", "ml-models", "train"),
      ].flatMap((one) => (concerns(finding, one) ? [one.kind] : []));
    expect(ask(found("Pod", "ml-models", "train-x", { job: "train" }))).to.deep.equal(["Job"]);
    expect(ask(found("Pod", "ml-models", "x", { model: "house-price" }))).to.deep.equal(["SeldonDeployment"]);
    expect(ask(found("PersistentVolumeClaim", "ml-models", "data"))).to.deep.equal(["PersistentVolumeClaim"]);
    expect(ask(found("Pod", "ml-models", "train"))).to.deep.equal([]);
    expect(ask(found("Pod", "other", "x", { job: "train", model: "house-price" }))).to.deep.equal([]);
  });

  it("is the budget that counts the pods of the model", () => {
    const budget = (model: string) =>
      objectOf("kubernetes:policy/v1:PodDisruptionBudget", {
        metadata: { namespace: "ml-models", name: `${model}-default-1a` },
        spec: { selector: { matchLabels: { "seldon-deployment-id": model } } },
      });
    const finding = found("Pod", "ml-models", "x", { model: "house-price" });
    const about = (model: string) => concerns(finding, { ...budget(model), doing: "creating" });
    expect([about("house-price"), about("house")]).to.deep.equal([true, false]);
  });

  it("is the namespace that will not go", () => {
    const leaving = found("Namespace", "mlflow", "mlflow");
    expect(concerns(leaving, busy("Namespace", "", "mlflow"))).to.equal(true);
    expect(concerns(leaving, busy("Namespace", "", "postgres"))).to.equal(false);
    expect(concerns(found("Pod", "mlflow", "a"), busy("Namespace", "", "mlflow"))).to.equal(false);
  });

  it("is all that is in a cluster that does not answer", () => {
    const lost = found("Cluster", "", "minikube");
    expect(concerns(lost, busy("Release", "mlflow", "mlflow"))).to.equal(true);
    expect(concerns(lost, busy("Namespace", "", "mlflow"))).to.equal(true);
    expect(concerns(lost, busy("Image", "", ""))).to.equal(false);
  });
});

describe("what concerns a resource that is being removed", () => {
  const removed = (kind: string, namespace: string, name: string): Busy => ({
    ...{ urn: name, kind, namespace, name, doing: "removing", since: 0 },
    part: { urn: "part", title: "part" },
  });
  const about = (kind: string, namespace: string, name: string, cause: Diagnosis["cause"]) =>
    ({ object: { kind, namespace, name }, cause, what: "", severity: "error" }) as Diagnosis;

  it("is no pod that crashes, or it would stay for ever", () => {
    const crash = { ...about("Pod", "mlflow", "mlflow-0", "crash"), release: "mlflow" };
    expect(concerns(crash, removed("Release", "mlflow", "mlflow"))).to.equal(false);
    expect(concerns(crash, { ...removed("Release", "mlflow", "mlflow"), doing: "updating" })).to.equal(true);
  });

  it("is a namespace that does not go, and a cluster that does not answer", () => {
    const namespace = removed("Namespace", "", "mlflow");
    expect(concerns(about("Namespace", "", "mlflow", "namespace"), namespace)).to.equal(true);
    expect(concerns(about("Cluster", "", "test", "cluster"), namespace)).to.equal(true);
  });
});

describe("the explanation of a finding", () => {
  const finding = { what: "container a crashes", severity: "error" } as Diagnosis;

  it("says what, why, what was logged last and what to do", () => {
    const full = { ...finding, log: ["starting", "no such database"], mend: "Look there." };
    expect(explanation(full, "MLflow does not come up")).to.equal(
      "MLflow does not come up: container a crashes.\n  Its last lines:\n    starting\n    no such database\n  Look there.",
    );
  });

  it("leaves out what there is not", () => {
    expect(explanation({ ...finding, log: [] }, "MLflow")).to.equal("MLflow: container a crashes.");
  });
});

describe("the watch over a deployment", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let api: FakeApi;
  const mlflow = release("mlflow", "tracking", "mlflow");
  const postgres = release("postgresql", "database", "postgres");
  const resources = [platform, tracking, mlflow, database, postgres];
  const address = "/api/v1/namespaces/mlflow/pods";
  const helm = { annotations: { "meta.helm.sh/release-name": "mlflow" } };
  const crashing = (secondsAgo: number, metadata = {}) => {
    const last = ended(1, 0, 1).terminated;
    const time = new Date(Date.now() - secondsAgo * 1000).toISOString();
    const end = { terminated: { ...last, startedAt: time, finishedAt: time } };
    const containers = { main: { state: waiting("CrashLoopBackOff"), last: end, restarts: 2 } };
    return pod("mlflow-0", { metadata: { ...helm, ...metadata }, containers });
  };

  beforeEach(async () => {
    api = await fakeApi({});
  });
  afterEach(() => api.close());

  const begunBefore = (seconds: number, begin: () => void) => {
    const now = Date.now;
    Date.now = () => now() - seconds * 1000;
    begin();
    Date.now = now;
  };
  /** Watches while these are under way for some seconds, until that ends by itself or after `looks` looks. */
  const watch = async (
    busy: readonly TestResource[],
    looks: number,
    network?: NetworkLook,
    seconds = 10,
    doing = "create",
  ) => {
    const done = new AbortController();
    const asked: string[] = [];
    let outcome: UserError | undefined;
    const steps = await shown(resources, async (view: DeploymentView) => {
      begunBefore(seconds, () => {
        for (const one of busy) tell(view, began(doing, one));
      });
      const explain = view.explain.bind(view);
      view.explain = (findings) => {
        explain(findings);
        asked.push(findings.map(({ object }) => object.name).join());
        if (asked.length === looks)
          setImmediate(() => {
            done.abort();
          });
      };
      outcome = await watchDeployment(api.cluster, view, done.signal, network);
    });
    return { outcome, steps, looks: asked.length };
  };
  it("ends it when something has failed and the rest takes longer than a while", async () => {
    let outcome: UserError | undefined;
    const steps = await shown(resources, async (view) => {
      for (const one of [mlflow, postgres]) tell(view, began("create", one));
      for (const event of failed("create", mlflow, "no such chart")) tell(view, event);
      outcome = await watchDeployment(api.cluster, view, new AbortController().signal, undefined, 100);
    });
    expect(outcome?.message).to.equal("Release mlflow: no such chart");
    expect(steps).to.include("MLflow ✗ no such chart");
  });

  it("knows what has refused an object, and how that is mended", async () => {
    const refusal =
      'Internal error occurred: failed calling webhook "guard.example.com": failed to call webhook: Post ' +
      '"https://gone.default.svc:443/?timeout=5s": service "gone" not found';
    let error: unknown;
    await shown(resources, async (view) => {
      for (const one of [mlflow, postgres]) {
        tell(view, began("create", one));
        for (const event of failed("create", one, refusal)) tell(view, event);
      }
      error = await behindFailure(api.cluster, view, new EngineFailed(refusal));
    });
    expect((error as Error).message).to.equal(
      'MLflow and Postgres cannot be made: webhook guard.example.com does not answer (service "gone" not found).\n' +
        "  If what serves the webhook is gone for good, delete its ValidatingWebhookConfiguration or " +
        "MutatingWebhookConfiguration.",
    );
  });

  const reason = "container main of pod mlflow-0 crashes (exit code 1, 2 restarts)";

  it("ends it for what is hopeless and under way, with all that is known of it", async () => {
    api.answers[address] = { items: [crashing(2)] };
    api.answers[`${address}/mlflow-0/log`] = "starting\nno such database\n";
    const said = `${reason}; it says: no such database`;
    const { outcome, steps, looks } = await watch([postgres, mlflow], 5);
    expect(looks).to.equal(1);
    expect(outcome).to.be.instanceOf(Hopeless);
    expect(outcome?.message).to.equal(
      `MLflow does not come up: ${said}.\n  Its last lines:\n    starting\n    no such database\n` +
        "  Its log says why: kubectl -n mlflow logs mlflow-0 -c main --previous",
    );
    expect(steps).to.include(`MLflow: creating Release mlflow: ${said}`);
    expect(steps).to.include(`MLflow ✗ MLflow does not come up: ${said}.`);
    expect(steps.filter((line) => line.startsWith("Postgres"))).to.deep.equal([
      "Postgres:",
      "Postgres: creating Release postgresql",
      "Postgres: creating Release postgresql",
    ]);
    expect(api.changes).to.deep.equal([]);
  });

  const silent: Diagnosis = {
    ...{ object: { kind: "Service", namespace: "default", name: "kubernetes" }, cause: "network" },
    ...{ what: "Services lead nowhere", mend: "See to kube-proxy.", severity: "error" },
  };

  it("has a pod look at the network, once, where it takes long, and ends it for what that finds", async () => {
    let asked = 0;
    const network =
      (...found: readonly Diagnosis[]) =>
      () => {
        asked += 1;
        return Promise.resolve(found);
      };
    expect((await watch([mlflow], 1, network(silent), 5)).outcome).to.equal(undefined);
    expect(asked).to.equal(0);
    expect((await watch([mlflow], 3, network(), 20)).outcome).to.equal(undefined);
    expect(asked).to.equal(1);
    const { outcome } = await watch([mlflow], 5, network(silent), 20);
    expect(outcome?.message).to.equal(
      "pods do not reach one another: Services lead nowhere.\n  See to kube-proxy.",
    );
  });

  it("goes on where nobody may look at the network, and ends that look with the engine", async () => {
    const forbidden = () => Promise.reject(new Error("forbidden"));
    expect((await watch([mlflow], 2, forbidden, 20)).outcome).to.equal(undefined);
    let removed = false;
    const slow: NetworkLook = async (until) => {
      await new Promise((resolve) => {
        until.addEventListener("abort", resolve);
      });
      removed = true;
      return [silent];
    };
    expect((await watch([mlflow], 2, slow, 20)).outcome).to.equal(undefined);
    expect(removed).to.equal(true);
  });

  it("goes on where that is not under way", async () => {
    api.answers[address] = {
      items: [crashing(2, { annotations: { "meta.helm.sh/release-name": "other" } })],
    };
    const { outcome, steps, looks } = await watch([mlflow], 2);
    expect(outcome).to.equal(undefined);
    expect(looks).to.equal(2);
    expect(steps.join("\n")).to.not.contain("crashes");
  });

  it("goes on where it failed before that was begun, and says so all the same", async () => {
    api.answers[address] = { items: [crashing(60)] };
    const { outcome, steps } = await watch([mlflow], 1);
    expect(outcome).to.equal(undefined);
    expect(steps).to.include(`MLflow: creating Release mlflow: ${reason}`);
  });

  it("ends it where the cluster no longer lets anybody in", async () => {
    api.answers[address] = [401, { kind: "Status", message: "Unauthorized" }];
    const { outcome } = await watch([mlflow], 5);
    expect(outcome?.message).to.equal(
      "MLflow does not come up: cluster test no longer accepts your credentials.\n  Log in to the cluster again.",
    );
  });

  it("deletes a pod that blocks its successor, and goes on", async () => {
    const stuck = {
      ...of("StatefulSet", "mlflow"),
      labels: { "controller-revision-hash": "mlflow-1" },
    };
    api.answers[address] = { items: [crashing(2, stuck)] };
    api.answers["/apis/apps/v1/namespaces/mlflow/statefulsets"] = {
      items: [
        {
          metadata: { name: "mlflow", uid: "mlflow", ...helm },
          spec: { replicas: 1 },
          status: { replicas: 1, updateRevision: "mlflow-2" },
        },
      ],
    };
    api.answers[`${address}/mlflow-0`] = {};
    expect((await watch([postgres], 1)).outcome).to.equal(undefined);
    expect(api.changes).to.deep.equal([]);
    const { outcome, steps } = await watch([mlflow], 1);
    expect(outcome).to.equal(undefined);
    expect(api.changes).to.deep.equal([`DELETE ${address}/mlflow-0`]);
    expect(steps.join("\n")).to.contain("pod mlflow-0 is of the former version and blocks the new one");
  });

  it("has a model go before its pods where it waits for them: where its operator is gone, it would wait for ever", async () => {
    const model = object("model", "tracking", "SeldonDeployment", "ml-models");
    const models = "/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments/model";
    api.answers[models] = {};
    await watch([model], 1);
    expect(api.changes).to.deep.equal([]);
    await watch([model], 1, undefined, 10, "delete");
    expect(api.changes).to.deep.equal([`DELETE ${models}?propagationPolicy=Background`]);
  });

  it("is told by what the cluster knows where the engine has ended first, and not by an address in its books", async () => {
    api.answers[address] = { items: [crashing(2)] };
    let error: unknown;
    await shown(resources, async (view: DeploymentView) => {
      tell(view, began("create", mlflow), ...failed("create", mlflow, "urn:pulumi:dev::…: timed out"));
      error = await behindFailure(api.cluster, view, new EngineFailed("urn:pulumi:dev::…: timed out"));
    });
    expect((error as Error).message).to.match(
      /^MLflow does not come up: container main of pod mlflow-0 crashes/,
    );
    api.answers[address] = { items: [] };
    const plain = new EngineFailed("a field is immutable");
    await shown(resources, async (view: DeploymentView) => {
      tell(view, began("create", mlflow), ...failed("create", mlflow));
      expect(await behindFailure(api.cluster, view, plain)).to.equal(plain);
    });
  });

  it("gives a name up that nobody knows after half a minute, and says whether the cluster's DNS runs", async () => {
    const dns = "/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app=kube-dns";
    api.answers[dns] = { items: [pod("coredns-1", { containers: { main: { state: running(0) } } })] };
    api.answers[address] = {
      items: [pod("mlflow-1", { metadata: helm, containers: { mlflow: { state: running(0) } } })],
    };
    api.answers[`${address}/mlflow-1/log`] = 'could not translate host name "db" to address\n';
    const watch = new ClusterWatch(api.cluster);
    const [first] = await watch.look(["mlflow"]);
    expect(first).to.include({ severity: "warning" });
    expect(first?.what).to.contain(
      'it says: could not translate host name "db" to address; ' +
        "the cluster's DNS does not run: of 1 pod k8s-app=kube-dns in kube-system none is ready",
    );
    const now = Date.now;
    Date.now = () => now() + 30_000;
    try {
      expect((await watch.look(["mlflow"]))[0]).to.include({ severity: "error" });
      // Another pod may have met it for a moment only.
      api.answers[address] = {
        items: [pod("mlflow-2", { metadata: helm, containers: { mlflow: { state: running(0) } } })],
      };
      api.answers[`${address}/mlflow-2/log`] = 'could not translate host name "db" to address\n';
      expect((await watch.look(["mlflow"]))[0]).to.include({ severity: "warning" });
    } finally {
      Date.now = now;
    }
  });

  it("knows what is behind an error of a question to a model or to MLflow", async () => {
    const behind = async (error: Error) => ((await behindError(api.cluster, error)) as Error).message;
    const asked = new UserError("MLflow answered 500 to http://mlflow:5000");
    expect(await behind(asked)).to.equal(asked.message);
    api.answers[address] = {
      items: [pod("mlflow-1", { containers: { mlflow: { state: running(0), ready: true } } })],
    };
    api.answers[`${address}/mlflow-1/log`] = "INFO: GET /\nbotocore: XMinioStorageFull: no space\n";
    expect(await behind(asked)).to.contain(
      "500 to http://mlflow:5000\n  MLflow says: botocore: XMinioStorageFull: no space\n  A volume is full.",
    );
    api.answers[address] = { items: [crashing(2)] };
    expect(await behind(new UserError("the model does not answer"))).to.contain(
      "the model does not answer\n  In the cluster: container main of pod mlflow-0 crashes",
    );
    const fault = new TypeError("x is undefined");
    expect(await behindError(api.cluster, fault)).to.equal(fault);
  });

  it("asks the cluster nothing as long as nothing takes long", async () => {
    const done = new AbortController();
    setTimeout(() => {
      done.abort();
    }, 1_800);
    const asked: unknown[] = [];
    const view = {
      busy: () => [{ urn: "a", kind: "Release", namespace: "mlflow", name: "mlflow", since: Date.now() }],
      explain: (findings: unknown) => asked.push(findings),
    } as unknown as DeploymentView;
    expect(await watchDeployment(api.cluster, view, done.signal)).to.equal(undefined);
    expect(asked).to.deep.equal([]);
  });
});
