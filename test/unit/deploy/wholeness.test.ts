import { expect } from "chai";

import { lostFiles, publishAgain } from "../../../cli/deploy/wholeness";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";

describe("the files of the models in service", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let api: FakeApi;
  const listing =
    "/api/v1/namespaces/mlflow/services/http:mlflow:5000/proxy/api/2.0/mlflow-artifacts/artifacts?path=served/wine/ab12";
  const job = "/apis/batch/v1/namespaces/ml-models/jobs/wine-train-ab12?propagationPolicy=Background";
  const predictor = (modelUri: string) => ({
    ...{ name: "default-1a", annotations: { version: "1a" }, replicas: 1, componentSpecs: [] },
    graph: { name: "model", modelUri },
  });

  beforeEach(async () => {
    api = await fakeApi({
      "/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments": {
        items: [
          {
            metadata: { name: "wine", namespace: "ml-models" },
            spec: {
              predictors: [
                predictor("s3://models/mlflow/served/wine/ab12"),
                predictor("s3://models/other/1"),
              ],
            },
          },
        ],
      },
      [job]: {},
    });
  });
  afterEach(() => api.close());

  it("are lost where their folder has no MLmodel; they are published again by the training's Job", async () => {
    api.answers[listing] = { files: [{ path: "model.skops", is_dir: false }] };
    const lost = [{ model: "wine", place: "served/wine/ab12" }];
    expect(await lostFiles(api.cluster)).to.deep.equal(lost);
    expect(api.changes).to.deep.equal([]);
    expect(await publishAgain(api.cluster)).to.deep.equal(lost);
    expect(api.changes).to.deep.equal([`DELETE ${job}`]);
  });

  it("are not lost where they are there, nor where nobody can tell", async () => {
    api.answers[listing] = { files: [{ path: "MLmodel", is_dir: false }] };
    expect(await publishAgain(api.cluster)).to.deep.equal([]);
    api.answers[listing] = [503, { kind: "Status", message: "no endpoints available" }];
    expect(await publishAgain(api.cluster)).to.deep.equal([]);
    Reflect.deleteProperty(
      api.answers,
      "/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments",
    );
    expect(await publishAgain(api.cluster)).to.deep.equal([]);
    expect(api.changes).to.deep.equal([]);
  });
});
