import { expect } from "chai";

import { markers, type Recording } from "../../../cli/plan/recording";
import { declaredIn } from "../../../cli/status/declaredItems";
import { objectDrift, releaseDrift } from "../../../cli/status/drift";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";
import { record } from "../cluster/support/helmRecord";

const manifest = `
apiVersion: v1
kind: Service
metadata: {name: mlflow}
spec: {type: ClusterIP}
---
apiVersion: v1
kind: Secret
metadata: {name: certificate}
`;

describe("what of a stack was deleted or changed by hand", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let api: FakeApi;
  const service = "/api/v1/namespaces/mlflow/services/mlflow";
  const secret = (name: string) => `/api/v1/namespaces/mlflow/secrets/${name}`;
  const forbidden = [403, { kind: "Status", message: "not allowed" }];

  const plain = (kind: string, name: string, namespace?: string) => ({
    type: `kubernetes:core/v1:${kind}`,
    inputs: { apiVersion: "v1", kind, metadata: { name, namespace } },
  });
  const labelled = { metadata: { name: "fe", labels: { level: "restricted" } } };
  const declared = declaredIn({
    resources: [
      { type: "kubernetes:helm.sh/v3:Release", inputs: { name: "mlflow", namespace: "mlflow" } },
      plain("Namespace", "mlflow"),
      { ...plain("Namespace", "fe"), inputs: { ...plain("Namespace", "fe").inputs, ...labelled } },
      plain("Secret", "user", "mlflow"),
      plain("Secret", "of-a-gone-namespace", "fe"),
      plain("Secret", markers.unknown, "mlflow"),
      { ...plain("Secret", "of-somebody-else", "mlflow"), read: "mlflow/of-somebody-else" },
      {
        type: "kubernetes:batch/v1:Job",
        inputs: { apiVersion: "batch/v1", kind: "Job", metadata: { name: "ended", namespace: "mlflow" } },
      },
      { type: "random:index/randomPassword:RandomPassword", inputs: { length: 32 } },
    ],
  } as unknown as Recording);
  const told = async () => {
    const items = await Promise.all([
      objectDrift(api.cluster, declared),
      releaseDrift(api.cluster, declared),
    ]);
    return items.flat().map(({ part, name, health, state }) => `${health}: ${part} ${name} ${state}`);
  };

  beforeEach(async () => {
    const kinds = ["Namespace", "Secret", "Service"].map((kind) => ({
      ...{ name: `${kind.toLowerCase()}s`, kind, namespaced: kind !== "Namespace" },
    }));
    api = await fakeApi({
      "/api/v1": { resources: kinds },
      "/api/v1/namespaces/mlflow": {},
      "/api/v1/namespaces/fe": labelled,
      "/api/v1/namespaces/mlflow/secrets": { items: [record("mlflow", 1, "deployed", { manifest })] },
      [secret("user")]: {},
      "/api/v1/namespaces/fe/secrets/of-a-gone-namespace": {},
      [secret("certificate")]: {},
      [service]: { spec: { type: "ClusterIP" } },
      [`${service}?fieldManager=helm&force=true&dryRun=All`]: { spec: { type: "ClusterIP" } },
      [`${secret("certificate")}?fieldManager=helm&force=true&dryRun=All`]: {},
    });
  });
  afterEach(() => api.close());

  it("is nothing where all is there", async () => {
    expect(await told()).to.deep.equal([]);
  });

  it("is listed, each object by itself; a namespace stands for what was in it", async () => {
    for (const address of ["/api/v1/namespaces/fe", secret("user"), secret("certificate")])
      Reflect.deleteProperty(api.answers, address);
    Reflect.deleteProperty(api.answers, "/api/v1/namespaces/fe/secrets/of-a-gone-namespace");
    api.answers[service] = { spec: { type: "NodePort" } };
    expect(await told()).to.deep.equal([
      "ill: namespace fe gone",
      "ill: workload Secret user in mlflow gone",
      "ill: workload Service mlflow in mlflow changed",
      "ill: workload Secret certificate in mlflow gone",
    ]);
  });

  it("is found by those who may only read, too", async () => {
    api.answers[`${service}?fieldManager=helm&force=true&dryRun=All`] = forbidden;
    expect(await told()).to.deep.equal([]);
    api.answers[service] = { spec: { type: "NodePort" } };
    api.answers["/api/v1/namespaces/fe"] = { metadata: { labels: { level: "privileged" } } };
    expect(await told()).to.deep.equal([
      "ill: namespace fe changed",
      "ill: workload Service mlflow in mlflow changed",
    ]);
  });

  it("is not guessed of what the versions name that only a lock knows", async () => {
    const list = {
      type: "kubernetes:core/v1:ConfigMap",
      inputs: {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "list-1", namespace: "fe" },
        immutable: true,
      },
    };
    const known = { type: "test:index:Model", inputs: { files: "s3://models/1" } };
    const assumed = { type: "test:index:Model", inputs: { files: "s3://models/not-decided-yet" } };
    const driftOf = (...resources: object[]) =>
      objectDrift(api.cluster, declaredIn({ resources } as unknown as Recording));
    expect(await driftOf(list, known)).to.have.length(1);
    expect(await driftOf(list, assumed)).to.deep.equal([]);
  });

  it("is told of a model, too, where the lock says which version it serves", async () => {
    const apiVersion = "machinelearning.seldon.io/v1";
    const served = (modelUri: string) => ({ predictors: [{ graph: { modelUri } }] });
    const driftOf = (modelUri: string) => {
      const inputs = {
        ...{ apiVersion, kind: "SeldonDeployment", spec: served(modelUri) },
        metadata: { name: "wine", namespace: "ml-models" },
      };
      const resources = [{ type: `kubernetes:${apiVersion}:SeldonDeployment`, inputs }];
      return objectDrift(api.cluster, declaredIn({ resources } as unknown as Recording));
    };
    const root = `/apis/${apiVersion}`;
    const address = `${root}/namespaces/ml-models/seldondeployments/wine`;
    api.answers[root] = {
      resources: [{ name: "seldondeployments", kind: "SeldonDeployment", namespaced: true }],
    };
    // That it is missing says its own line.
    expect(await driftOf("s3://models/2")).to.deep.equal([]);
    api.answers[address] = { spec: served("s3://models/1") };
    const [found] = await driftOf("s3://models/2");
    expect(found?.detail).to.equal("its spec.predictors[0].graph.modelUri is not as the stack declares it");
    for (const same of ["s3://models/1", "s3://models/not-decided-yet"])
      expect(await driftOf(same), same).to.deep.equal([]);
  });

  it("leaves out what may not be read", async () => {
    for (const address of [secret("user"), service]) api.answers[address] = forbidden;
    expect(await told()).to.deep.equal([]);
    api.answers["/api/v1/namespaces/mlflow/secrets"] = forbidden;
    expect(await told()).to.deep.equal([]);
  });
});
