import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { predict } from "../../../cli/commands/predict";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";
import { outputOf } from "../support/output";
import { rejection } from "../support/rejection";
import { serveHttp } from "../support/servers";

describe("npm run predict", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let api: FakeApi;
  const wine = "/api/v1/namespaces/ml-models/services/http:wine-default:8000/proxy/v2/models/regressor";
  const outputs = [{ name: "quality", shape: [1, 1], datatype: "FP64", data: [5.25] }];

  const record =
    "/api/v1/namespaces/mlflow/services/http:mlflow:5000/proxy/api/2.0/mlflow-artifacts/artifacts/1/models/m-1/artifacts/MLmodel";
  const predictor = {
    ...{ name: "default", annotations: { version: "" }, componentSpecs: [] },
    graph: { name: "regressor", type: "MODEL", modelUri: "" },
  };

  beforeEach(async () => {
    predictor.graph.modelUri = "s3://models/mlflow/1/models/m-1/artifacts";
    predictor.annotations.version = "002683";
    api = await fakeApi({
      "/apis/apps/v1/namespaces/mlflow/deployments/mlflow": {
        spec: {
          template: { spec: { containers: [{ args: ["--artifacts-destination=s3://models/mlflow"] }] } },
        },
      },
      "/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments": {
        items: [
          {
            metadata: { name: "wine", namespace: "ml-models" },
            spec: {
              protocol: "v2",
              predictors: [predictor],
            },
          },
        ],
      },
      [wine]: { inputs: ["acid", "sugar"].map((name) => ({ name, datatype: "FP64", shape: [-1, 1] })) },
      [`${wine}/infer`]: { outputs },
    });
  });
  afterEach(() => api.close());

  const ask = (...words: string[]) => outputOf(() => predict(words, { context: "test" }));

  it("asks a model of the cluster in its protocol, by the name of its graph", async () => {
    const { out } = await ask("sugar=2", "acid=0.5");
    expect(out)
      .to.contain("in cluster test")
      .and.match(/quality[^]*row 0 .* 5\.25/);
    expect(api.changes).to.deep.equal([
      `POST ${wine}/infer {"inputs":[` +
        `{"name":"acid","shape":[1,1],"datatype":"FP64","data":[0.5]},` +
        `{"name":"sugar","shape":[1,1],"datatype":"FP64","data":[2]}]}`,
    ]);
  });

  const csv = path.join(mkdtempSync(path.join(tmpdir(), "mlplatform-predict-")), "rows.csv");

  it("leaves out columns of a file that the model does not take, and names them", async () => {
    writeFileSync(csv, "id;sugar;acid\n9007199254740993;2;0,5\n");
    const { err } = await outputOf(() => predict([], { context: "test", csv }));
    expect(err).to.equal(`${csv}: the model does not take id: left out.\n`);
    expect(api.changes).to.deep.equal([
      `POST ${wine}/infer {"inputs":[` +
        `{"name":"acid","shape":[1,1],"datatype":"FP64","data":[0.5]},` +
        `{"name":"sugar","shape":[1,1],"datatype":"FP64","data":[2]}]}`,
    ]);
  });

  for (const [how, answers] of [
    ["by itself", "/api/v1.0/metadata"],
    ["at its own port", "/metadata"],
  ] as const) {
    it(`asks a server of Seldon's protocol ${how} what it takes`, async () => {
      const asked: string[] = [];
      const server = await serveHttp((request, response) => {
        request.on("data", (chunk: Buffer) => asked.push(chunk.toString()));
        request.on("end", () => {
          const inputs = [{ messagetype: "ndarray", schema: { names: ["a", "b"] } }];
          const metadata = request.url === answers;
          response.end(JSON.stringify(metadata ? { inputs } : { data: { ndarray: [7] } }));
        });
      });
      const url = server.url + answers.replace("metadata", how === "by itself" ? "predictions" : "predict");
      try {
        writeFileSync(csv, "id,a,b\n1,9007199254740993,2.5\n");
        await outputOf(() => predict([], { url, csv }));
      } finally {
        await server.close();
      }
      expect(asked).to.deep.equal(['{"data":{"names":["a","b"],"ndarray":[[9007199254740993,2.5]]}}']);
    });
  }

  it("asks the example of the model where no row is given, and says so where there is none", async () => {
    api.answers[record] = JSON.stringify({
      metadata: { mlplatform: { names: ["acid", "sugar"], rows: [[1, 2]], predictions: [3], libraries: {} } },
    });
    expect((await ask()).out).to.contain("in cluster test, for [1,2]\n");
    predictor.graph.modelUri = "s3://elsewhere/model";
    expect((await rejection(ask())).message).to.equal(
      "there is no example to ask wine for: its files, s3://elsewhere/model, are not in MLflow's store, " +
        "s3://models/mlflow. Give a row, such as [1, 2] or name=1.",
    );
  });

  it("names the version as the registry does, and its hash only where it is in none", async () => {
    const named = async () => (await ask("[1, 2]")).out.split(/,|\n/, 1);
    expect(await named()).to.deep.equal(["wine hash 002683"]);
    api.answers[record] = "run_id: r3";
    const versions =
      "/api/v1/namespaces/mlflow/services/http:mlflow:5000/proxy/api/2.0/mlflow/model-versions";
    const search = `${versions}/search?filter=run_id='r3'&order_by=version_number DESC&max_results=100`;
    api.answers[search] = { model_versions: [{ name: "wine", version: "3", run_id: "r3" }] };
    api.answers[`${versions}/get-download-uri?name=wine&version=3`] = {
      artifact_uri: "mlflow-artifacts:/1/models/m-1/artifacts",
    };
    expect(await named()).to.deep.equal(["wine version 3"]);
    predictor.annotations.version = "";
    predictor.graph.modelUri = "s3://elsewhere/model";
    expect(await named()).to.deep.equal(["wine"]);
  });

  it("knows the protocol of a URL by its path", async () => {
    const asked: string[] = [];
    const server = await serveHttp((request, response) => {
      asked.push(`${request.method ?? ""} ${request.url ?? ""}`);
      response.end(JSON.stringify({ outputs, data: { ndarray: [7] } }));
    });
    try {
      for (const path of ["/at/v2/models/m/infer", "/v2/models/infer", ""])
        await outputOf(() => predict(["[1]"], { url: `${server.url}${path}` }));
    } finally {
      await server.close();
    }
    expect(asked).to.deep.equal([
      ...["GET /at/v2/models/m", "POST /at/v2/models/m/infer", "POST /v2/models/infer", "POST /predict"],
    ]);
  });
});
