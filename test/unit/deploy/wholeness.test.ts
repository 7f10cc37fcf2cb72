import { expect } from "chai";

import { computeAnswersAgain, lostFiles, trainAgain } from "../../../cli/deploy/wholeness";
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

  it("have answers that are computed again where they are gone or damaged, and by no Job that has not ended", async () => {
    const answers = `${jobs}?labelSelector=app.kubernetes.io/component=answers`;
    const command = ["python", "--at", "mlflow-artifacts:/1/models/m-1/artifacts"];
    const job = (name: string, status: object) => ({
      metadata: { name },
      spec: { template: { spec: { containers: [{ name: "main", command }] } } },
      status,
    });
    api.answers[answers] = {
      items: [job("wine-answers-ab12", { succeeded: 1 }), job("wine-answers-now", {})],
    };
    const removal = `${jobs}/wine-answers-ab12?propagationPolicy=Background`;
    api.answers[removal] = {};
    api.answers[listing] = { files: [{ path: "MLmodel", is_dir: false }] };
    expect(await computeAnswersAgain(api.cluster)).to.deep.equal(["wine-answers-ab12"]);
    expect(api.changes).to.deep.equal([`DELETE ${removal}`]);
    api.answers[listing] = { files: [{ path: "mlplatform-answers.json", is_dir: false }] };
    const file = listing.replace("?path=", "/") + "/mlplatform-answers.json";
    api.answers[file] = { rows: 1, outputs: [] };
    expect(await computeAnswersAgain(api.cluster)).to.deep.equal([]);
    api.answers[file] = [200, '{"rows": 1, "outp'];
    expect(await computeAnswersAgain(api.cluster)).to.deep.equal(["wine-answers-ab12"]);
    api.answers[file] = [503, { kind: "Status", message: "no endpoints available" }];
    expect(await computeAnswersAgain(api.cluster)).to.deep.equal([]);
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
