import { expect } from "chai";

import { askModels } from "../../../cli/deploy/answers";
import { exampleRows } from "../../../cli/deploy/question";
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
    "/api/v1/namespaces/mlflow/services/http:mlflow:5000/proxy/api/2.0/mlflow-artifacts/artifacts/1/models/m-1/artifacts/MLmodel";
  const exampleRow = [3, 1.5, 1340, 1340, 7, 1, 0, 5650, 0, 98178];

  const predictor = (name: string, more: object = {}) => ({
    ...{ name: `${name}-1a`, annotations: { version: "1a" }, replicas: 1, componentSpecs: [] },
    graph: { name: "model", type: "MODEL", modelUri: "s3://models/mlflow/1/models/m-1/artifacts" },
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
    const asked = result as Awaited<ReturnType<typeof askModels>>;
    return { steps, asked, answers: asked.filter((one) => "answer" in one) };
  };

  beforeEach(async () => {
    api = await fakeApi({
      "/apis/apps/v1/namespaces/mlflow/deployments/mlflow": {
        spec: {
          template: { spec: { containers: [{ args: ["--artifacts-destination=s3://models/mlflow"] }] } },
        },
      },
    });
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

  it("asks a graph what the server of its first unit tells as an example", async () => {
    const child = {
      name: "wine",
      type: "MODEL" as const,
      modelUri: "s3://models/mlflow/1/models/m-7/artifacts",
    };
    const graph = {
      name: "average",
      type: "COMBINER" as const,
      children: [child, { ...child, name: "other" }],
    };
    serve(deployed("wines", [predictor("default", { graph })], "v2"));
    const place = "/api/v1/namespaces/ml-models/services/http:wines-default:8000/proxy/v2/models";
    const inputs = [{ name: "acid", datatype: "FP64", shape: [-1, 1] }];
    api.answers[`${place}/wine`] = { inputs, parameters: { example: "[0.5]" } };
    api.answers[`${place}/infer`] = { outputs: [{ name: "y", shape: [1, 1], datatype: "FP64", data: [6] }] };
    const { answers } = await ask();
    expect(answers.map(({ row, answer: { data } }) => [row, data.ndarray])).to.deep.equal([[[0.5], [[6]]]]);
    api.answers[`${place}/wine`] = { inputs };
    const { asked } = await ask();
    expect(asked.map((one) => ("notChecked" in one ? one.notChecked : ""))).to.deep.equal([
      "it is a graph, whose first unit tells no example of what it takes",
    ]);
  });

  describe("without rows of a training", () => {
    const uri = "s3://models/mlflow/1/models/m-7/artifacts";
    const files =
      "/api/v1/namespaces/mlflow/services/http:mlflow:5000/proxy/api/2.0/mlflow-artifacts/artifacts/1/models/m-7/artifacts";
    const flow = "/api/v1/namespaces/ml-models/services/http:wine-default:8000/proxy/v2/models/model";
    const graph = { name: "model", type: "MODEL", modelUri: uri };
    const outputs = [{ name: "predict", shape: [1, 1], datatype: "FP32", data: [150.5] }];

    beforeEach(() => {
      serve(deployed("wine", [predictor("default", { graph })], "v2"));
      Object.assign(api.answers, {
        [`${files}/MLmodel`]: "saved_input_example_info: {artifact_path: input_example.json}",
        [`${files}/input_example.json`]: { columns: ["acid"], data: [[0.5], [0.7]] },
        [`${flow}/infer`]: { outputs },
      });
    });

    it("asks a model in its own protocol for the example among its files", async () => {
      const { steps, answers } = await ask();
      expect(steps).to.deep.equal([
        "answer of wine: done, its input example answered; no rows of its training to compare with",
      ]);
      expect(
        answers.map(({ row, answer: { data }, checkedRows }) => [row, data.ndarray, checkedRows]),
      ).to.deep.equal([[[0.5], [[150.5]], 0]]);
      expect(api.changes).to.deep.equal([
        `POST ${flow}/infer {"parameters":{"content_type":"pd"},"inputs":[` +
          `{"name":"acid","shape":[1,1],"datatype":"FP64","data":[0.5]}]}`,
      ]);
    });

    it("compares the rows of its training where they are with its files", async () => {
      api.answers[`${files}/MLmodel`] = recorded([[1, 2]], [1328.5]);
      const { result } = await outputOf(() => rejection(askModels(api.cluster, new Progress("json"))));
      expect((result as Error).message).to.contain("row 0: answered 150.5, training answered 1328.5");
    });

    for (const [what, change, reason] of [
      [
        "no example",
        { [`${files}/MLmodel`]: "flavors: {}" },
        `neither rows of its training nor an input example are with ${uri}/MLmodel`,
      ],
      [
        "an example that is no table",
        { [`${files}/input_example.json`]: { inputs: "a text" } },
        `its input example, ${uri}/input_example.json, is not a table of rows`,
      ],
      [
        "no files in MLflow",
        { [`${files}/MLmodel`]: [404, "gone"] },
        "MLflow does not hand out its files: MLflow answered 404 to " + `${files}/MLmodel: gone`,
      ],
      [
        "an example that it refuses",
        { [`${flow}/infer`]: [400, { error: "wrong width" }] },
        "it does not take its input example: the model refused the request (HTTP 400): wrong width",
      ],
      [
        "a store that is not known",
        {
          "/apis/apps/v1/namespaces/mlflow/deployments/mlflow": {
            spec: { template: { spec: { containers: [{}] } } },
          },
        },
        "the store of MLflow is not known, so that nobody can read its files",
      ],
    ] as [string, Record<string, unknown>, string][])
      it(`says that it is not checked where it has ${what}`, async () => {
        Object.assign(api.answers, change);
        const { steps, asked } = await ask();
        expect(steps).to.deep.equal([`answer of wine: skipped, not checked: ${reason}`]);
        expect(asked.map((one) => "notChecked" in one && one.notChecked)).to.deep.equal([reason]);
      });

    it("says so of one whose files are elsewhere, or in its image", async () => {
      const at = (modelUri?: string) => ({ graph: { name: "model", type: "MODEL", modelUri } });
      serve(
        deployed("here", [predictor("default", at())]),
        deployed("there", [predictor("default", at("s3://o/m/"))]),
      );
      expect((await ask()).steps.sort()).to.deep.equal([
        "answer of here: skipped, not checked: its files are in its image, and no rows of its training are known",
        "answer of there: skipped, not checked: its files, s3://o/m, are not in MLflow's store, s3://models/mlflow",
      ]);
      expect(api.changes).to.deep.equal([]);
    });

    it("is a failure where nothing answers", async () => {
      api.answers[`${flow}/infer`] = [403, { kind: "Status", message: "forbidden" }];
      const { result } = await outputOf(() => rejection(askModels(api.cluster, new Progress("json"))));
      expect((result as Error).message).to.equal("the model does not answer: forbidden");
    });
  });

  it("does not ask what is to have no pods", async () => {
    serve(deployed("idle", [predictor("default", { replicas: 0 })]));
    expect((await ask()).steps).to.deep.equal([]);
    expect(api.changes).to.deep.equal([]);
  });
});

describe("the input example of a model", () => {
  const table = { names: ["a", "b"], ndarray: [[1, "x"]] };
  for (const [form, content, rows] of [
    [
      "dataframe_split",
      {
        dataframe_split: {
          columns: ["a", "b"],
          data: [
            [1, "x"],
            [2, "y"],
          ],
        },
      },
      table,
    ],
    ["a split table alone", { columns: ["a", "b"], data: [[1, "x"]] }, table],
    ["dataframe_records", { dataframe_records: [{ a: 1, b: "x" }] }, table],
    ["records alone", [{ a: 1, b: "x" }], table],
    [
      "inputs",
      {
        inputs: [
          [1, 2],
          [3, 4],
        ],
      },
      { ndarray: [[1, 2]] },
    ],
    ["instances", { instances: [[1, 2]] }, { ndarray: [[1, 2]] }],
    ["rows alone", [[1, null]], { ndarray: [[1, null]] }],
    ["a row alone", [1, 2], undefined],
    ["a deeper tensor", { inputs: [[[1]]] }, undefined],
    ["an empty table", { columns: [], data: [[]] }, undefined],
    ["a chat", { messages: [{ role: "user", content: "hello" }] }, undefined],
    ["null", null, undefined],
  ] as [string, unknown, object | undefined][])
    it(`is read from ${form}`, () => {
      expect(exampleRows(JSON.stringify(content))).to.deep.equal(rows);
    });

  it("is none where it is no JSON", () => {
    expect(exampleRows("<html>")).to.equal(undefined);
  });

  it("may have what Python writes for a number that is missing", () => {
    const text = '{"dataframe_split": {"columns": ["a"], "data": [[NaN]]}}';
    expect(exampleRows(text)).to.deep.equal({ names: ["a"], ndarray: [[null]] });
    expect(exampleRows('[["a \\" NaN", NaN]]')).to.deep.equal({ ndarray: [['a " NaN', null]] });
  });
});
