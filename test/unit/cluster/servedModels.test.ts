import { expect } from "chai";

import { servedModels } from "../../../cli/cluster/servedModels";
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
