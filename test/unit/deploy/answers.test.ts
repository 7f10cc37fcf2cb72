import { expect } from "chai";

import { askModels } from "../../../cli/deploy/answers";
import { Progress } from "../../../cli/progress";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";
import { outputOf } from "../support/output";
import { rejection } from "../support/rejection";

describe("asking the models of a stack", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let api: FakeApi;
  const models = "/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments";
  const service = (name: string) =>
    `/api/v1/namespaces/ml-models/services/http:${name}:8000/proxy/api/v1.0/predictions`;
  const record =
    "/api/v1/namespaces/mlflow/services/http:mlflow:5000/proxy/api/2.0/mlflow-artifacts/artifacts/served/1/abc/MLmodel";
  const exampleRow = [3, 1.5, 1340, 1340, 7, 1, 0, 5650, 0, 98178];

  const predictor = (name: string, more: object = {}) => ({
    ...{ name: `${name}-1a`, annotations: { version: "1a" }, replicas: 1, componentSpecs: [] },
    graph: { name: "model", type: "MODEL", modelUri: "s3://models/served/1/abc" },
    ...more,
  });
  const deployed = (name: string, predictors: readonly object[], protocol?: string) => ({
    metadata: { name, namespace: "ml-models" },
    spec: { predictors, ...(protocol === undefined ? {} : { protocol }) },
  });
  const recorded = (rows: readonly (readonly number[])[], predictions: readonly number[]) =>
    JSON.stringify({
      metadata: { mlplatform: { names: ["a", "b"], rows, predictions, libraries: { sklearn: "1.7.2" } } },
    });
  const serve = (...items: readonly object[]) => {
    api.answers[models] = { items };
  };
  const answer = (...values: readonly number[]) => ({ data: { ndarray: values } });
  const ask = async () => {
    const { out, result } = await outputOf(() => askModels(api.cluster, new Progress("json")));
    const steps = out
      .trim()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as { step: string; state: string; detail?: string })
      .filter(({ state }) => state !== "running")
      .map(({ step, state, detail }) => `${step}: ${state}, ${detail ?? ""}`);
    return { steps, answers: result as Awaited<ReturnType<typeof askModels>> };
  };

  beforeEach(async () => {
    api = await fakeApi({});
  });
  afterEach(() => api.close());

  it("finds that each answers its rows as at its training, and has one answer of it to show", async () => {
    serve(deployed("wine-quality", [predictor("default")]));
    api.answers[record] = recorded([[1, 2]], [5.5]);
    api.answers[service("wine-quality-default")] = answer(5.5);
    const { steps, answers } = await ask();
    expect(steps).to.deep.equal(["answer of wine-quality: done, 1 rows answered as at its training"]);
    expect(
      answers.map(({ model, predictor: { name, version }, row, answer: given, checkedRows }) => [
        ...[model.name, name, version, row, given.data.ndarray, checkedRows],
      ]),
    ).to.deep.equal([["wine-quality", "default", "1a", [1, 2], [5.5], 1]]);
    expect(api.changes).to.deep.equal([
      `POST ${service("wine-quality-default")} {"data":{"ndarray":[[1,2]]}}`,
      `POST ${service("wine-quality-default")} {"data":{"names":["a","b"],"ndarray":[[1,2]]}}`,
    ]);
  });

  it("asks every predictor, the one of house prices for the house of the article", async () => {
    serve(deployed("house-price", [predictor("default"), predictor("canary")]));
    api.answers[record] = recorded([[1, 2]], [5.5]);
    for (const name of ["default", "canary"]) api.answers[service(`house-price-${name}`)] = answer(5.5);
    const { answers } = await ask();
    expect(answers.map(({ predictor: { name }, row }) => [name, row])).to.deep.equal([
      ["default", exampleRow],
      ["canary", exampleRow],
    ]);
    expect(api.changes.filter((one) => one.includes(JSON.stringify([exampleRow])))).to.have.length(2);
  });

  it("refuses a model that answers something else, with both numbers", async () => {
    serve(deployed("wine-quality", [predictor("default")]));
    api.answers[record] = recorded([[1, 2]], [5.5]);
    api.answers[service("wine-quality-default")] = answer(0.022);
    let error: Error | undefined;
    const { out } = await outputOf(async () => {
      error = await rejection(askModels(api.cluster, new Progress("json")));
    });
    expect(error?.message).to.equal(
      "the model server does not answer as the model did at training, so it is not put into service:\n" +
        "    row 0: answered 0.022, training answered 5.5\n" +
        "  Trained with sklearn 1.7.2; compare with the server's versions.",
    );
    expect(out).to.contain('"step":"answer of wine-quality","state":"failed"');
  });

  it("waits for one that is silent at first", async () => {
    serve(deployed("wine-quality", [predictor("default")]));
    api.answers[record] = recorded([[1, 2]], [5.5]);
    const silent = { kind: "Status", message: 'no endpoints available for service "wine-quality-default"' };
    api.answers[service("wine-quality-default")] = [503, silent];
    setTimeout(() => {
      api.answers[service("wine-quality-default")] = answer(5.5);
    }, 700);
    const { steps } = await ask();
    expect(steps).to.deep.equal(["answer of wine-quality: done, 1 rows answered as at its training"]);
    expect(api.changes.length).to.be.within(4, 5);
  });

  it("does not wait where the API server does not let anybody through", async () => {
    serve(deployed("house-price", [predictor("default")]));
    api.answers[record] = recorded([[1, 2]], [5.5]);
    api.answers[service("house-price-default")] = [403, { kind: "Status", message: "forbidden" }];
    const { result } = await outputOf(() => rejection(askModels(api.cluster, new Progress("json"))));
    expect((result as Error).message).to.equal("the model does not answer: forbidden");
    expect(api.changes).to.have.length(1);
  });

  it("does not wait for one that refuses", async () => {
    serve(deployed("wine-quality", [predictor("default")]));
    api.answers[record] = recorded([[1, 2]], [5.5]);
    api.answers[service("wine-quality-default")] = [500, { status: { info: "two numbers are wanted" } }];
    const { result } = await outputOf(() => rejection(askModels(api.cluster, new Progress("json"))));
    expect((result as Error).message).to.equal(
      "the model does not answer: the model refused the request (HTTP 500): two numbers are wanted",
    );
    expect(api.changes).to.have.length(1);
  });

  it("says where the training's record is missing", async () => {
    serve(deployed("wine-quality", [predictor("default")]));
    api.answers[record] = "flavors: {}";
    const { result } = await outputOf(() => rejection(askModels(api.cluster, new Progress("json"))));
    expect((result as Error).message).to.equal(
      "mlflow-artifacts:/served/1/abc/MLmodel has no rows recorded at training: " +
        "it is not a model of this platform's training.",
    );
    expect(api.changes).to.deep.equal([]);
  });

  it("does not ask a model of which it does not know what it takes", async () => {
    const elsewhere = { graph: { name: "model", type: "MODEL", modelUri: "s3://elsewhere/model" } };
    serve(deployed("house-price", [predictor("default", elsewhere)]));
    const { steps, answers } = await ask();
    expect(steps).to.deep.equal([
      "answer of house-price: done, not asked, since no rows were recorded at its training",
    ]);
    expect(answers).to.deep.equal([]);
  });

  it("asks neither what is to have no pods, nor what speaks another protocol", async () => {
    serve(
      deployed("idle", [predictor("default", { replicas: 0 })]),
      deployed("other", [predictor("default")], "v2"),
    );
    expect(await ask()).to.deep.equal({ steps: [], answers: [] });
    expect(api.changes).to.deep.equal([]);
  });
});
