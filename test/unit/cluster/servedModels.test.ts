import { expect } from "chai";

import { servedModels } from "../../../cli/serving/seldon/models";
import { fakeApi } from "./support/fakeApi";

describe("the pods that a predictor is to have", () => {
  const wanted = async (made: number, predictor: object) => {
    const deploymentStatus = { "wine-main-ab-0-model": { replicas: made, availableReplicas: made } };
    const item = {
      metadata: { name: "wine", namespace: "ml-models" },
      spec: { predictors: [{ name: "main-ab", annotations: { version: "ab" }, graph: {}, ...predictor }] },
      status: { deploymentStatus },
    };
    const api = await fakeApi({
      "/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments": { items: [item] },
    });
    const [model] = await servedModels(api.cluster);
    await api.close();
    return model?.predictors[0]?.wanted;
  };
  const spec = { containers: [{ name: "model" }] };
  const scaled = { componentSpecs: [{ spec, hpaSpec: { minReplicas: 2, maxReplicas: 4 } }] };

  it("are those that are declared", async () => {
    expect(await wanted(1, { replicas: 3, componentSpecs: [{ spec }] })).to.equal(3);
  });

  it("are the fewest or what the load asks for, where the number follows it", async () => {
    expect(await wanted(1, scaled), "at its beginning").to.equal(2);
    expect(await wanted(3, scaled), "under load").to.equal(3);
  });
});

describe("a graph", () => {
  it("has the name of its resource while the model is there too that it was before", async () => {
    const labels = { "mlplatform/model": "wine" };
    const spec = { predictors: [{ name: "a-ab", annotations: { version: "ab" }, graph: {} }] };
    const api = await fakeApi({
      "/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments": {
        items: [
          { metadata: { name: "wine", namespace: "ml-models" }, spec },
          { metadata: { name: "wine-graph", namespace: "ml-models", labels }, spec },
        ],
      },
    });
    const models = await servedModels(api.cluster);
    await api.close();
    expect(models.map(({ name }) => name)).to.deep.equal(["wine", "wine-graph"]);
    expect(models[1]?.predictors[0]?.address.service).to.equal("wine-a");
  });

  it("is a model by its label, and in the cluster another resource", async () => {
    const api = await fakeApi({
      "/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments": {
        items: [
          {
            metadata: { name: "wine-graph", namespace: "ml-models", labels: { "mlplatform/model": "wine" } },
            spec: { predictors: [{ name: "graph-ab", annotations: { version: "ab" }, graph: {} }] },
          },
        ],
      },
    });
    const [{ name, resource, predictors } = { name: "", resource: "", predictors: [] }] = await servedModels(
      api.cluster,
    );
    await api.close();
    expect([name, resource, predictors[0]?.address.service]).to.deep.equal([
      "wine",
      "wine-graph",
      "wine-graph",
    ]);
  });
});

describe("the pods of a version that replace those of another one by one", () => {
  const served = async (version: string, status: object, replicas = 3) => {
    const labels = { "mlplatform/version": "2b" };
    const componentSpecs = [{ spec: { containers: [{ name: "model" }] }, hpaSpec: { minReplicas: 2 } }];
    const annotations = { version: "2b" };
    const predictor = { name: "main-scaled", annotations, labels, graph: {}, componentSpecs };
    // What the operator says is of both versions.
    const own = { "wine-main-scaled-0-model": { replicas: 4, availableReplicas: 4 } };
    const deployment = {
      metadata: {
        ...{ name: "wine-main-scaled-0-model", generation: 2 },
        labels: { "mlplatform/version": version },
      },
      ...{ spec: { replicas }, status: { observedGeneration: 2, ...status } },
    };
    const api = await fakeApi({
      "/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments": {
        items: [
          {
            metadata: { name: "wine", namespace: "ml-models" },
            spec: { predictors: [predictor] },
            status: { deploymentStatus: own },
          },
        ],
      },
      "/apis/apps/v1/namespaces/ml-models/deployments": { items: [deployment] },
    });
    const [model] = await servedModels(api.cluster);
    await api.close();
    const { name, ready, wanted, former, address } = model?.predictors[0] ?? {};
    expect([name, address?.service]).to.deep.equal(["main", "wine-main"]);
    return { ready, wanted, former };
  };

  it("are counted without those of the version before", async () => {
    const half = { replicas: 4, updatedReplicas: 2, readyReplicas: 4 };
    expect(await served("2b", half)).to.deep.equal({ ready: 2, wanted: 3, former: 2 });
    const done = { replicas: 3, updatedReplicas: 3, readyReplicas: 3 };
    expect(await served("2b", done)).to.deep.equal({ ready: 3, wanted: 3, former: 0 });
  });

  it("are none as long as the operator or the Deployment's controller has not looked", async () => {
    const before = { replicas: 3, updatedReplicas: 3, readyReplicas: 3 };
    const none = { ready: 0, wanted: 3, former: 3 };
    expect(await served("1a", before), "the operator").to.deep.equal(none);
    expect(await served("2b", { ...before, observedGeneration: 1 }), "its controller").to.deep.equal(none);
  });

  it("are at least the fewest, with which the Deployment has not begun yet", async () => {
    const one = { replicas: 1, updatedReplicas: 1, readyReplicas: 1 };
    expect(await served("2b", one, 1)).to.deep.equal({ ready: 1, wanted: 2, former: 0 });
  });
});
