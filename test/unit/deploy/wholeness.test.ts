import { expect } from "chai";

import { lostFiles, trainAgain } from "../../../cli/deploy/wholeness";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";

describe("the files of the models in service", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let api: FakeApi;
  const listing =
    "/api/v1/namespaces/mlflow/services/http:mlflow:5000/proxy/api/2.0/mlflow-artifacts/artifacts?path=1/models/m-1/artifacts";
  const jobs = "/apis/batch/v1/namespaces/ml-models/jobs";
  const job = `${jobs}/wine-train-ab12?propagationPolicy=Background`;
  const named = (...names: string[]) => ({ items: names.map((name) => ({ metadata: { name } })) });
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
                predictor("s3://models/mlflow/1/models/m-1/artifacts"),
                predictor("s3://models/other/1"),
              ],
            },
          },
        ],
      },
      [jobs]: named("wine-train-ab12", "wine-train-now", "wine-red-train-ab12"),
      [job]: {},
    });
  });
  afterEach(() => api.close());

  it("are lost where their folder has no MLmodel; they are trained again by the training's Job, if there is one", async () => {
    api.answers[listing] = { files: [{ path: "model.skops", is_dir: false }] };
    const lost = [{ model: "wine", place: "1/models/m-1/artifacts" }];
    expect(await lostFiles(api.cluster)).to.deep.equal(lost);
    expect(api.changes).to.deep.equal([]);
    expect(await trainAgain(api.cluster)).to.deep.equal([{ ...lost[0], again: true }]);
    expect(api.changes).to.deep.equal([`DELETE ${job}`]);
    api.answers[jobs] = named("other-train-ab12");
    expect(await trainAgain(api.cluster)).to.deep.equal([{ ...lost[0], again: false }]);
    expect(api.changes).to.have.length(1);
  });

  it("are not lost where they are there, nor where nobody can tell", async () => {
    api.answers[listing] = { files: [{ path: "MLmodel", is_dir: false }] };
    expect(await trainAgain(api.cluster)).to.deep.equal([]);
    api.answers[listing] = [503, { kind: "Status", message: "no endpoints available" }];
    expect(await trainAgain(api.cluster)).to.deep.equal([]);
    Reflect.deleteProperty(
      api.answers,
      "/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments",
    );
    expect(await trainAgain(api.cluster)).to.deep.equal([]);
    expect(api.changes).to.deep.equal([]);
  });
});
