import { expect } from "chai";

import { predict } from "../../../cli/commands/predict";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";
import { outputOf } from "../support/output";
import { serveHttp } from "../support/servers";

describe("npm run predict", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  let api: FakeApi;
  const wine = "/api/v1/namespaces/ml-models/services/http:wine-default:8000/proxy/v2/models/regressor";
  const outputs = [{ name: "quality", shape: [1, 1], datatype: "FP64", data: [5.25] }];

  beforeEach(async () => {
    const graph = { name: "regressor", type: "MODEL", modelUri: "s3://models/served/wine/abc" };
    api = await fakeApi({
      "/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments": {
        items: [
          {
            metadata: { name: "wine", namespace: "ml-models" },
            spec: {
              protocol: "v2",
              predictors: [
                { name: "default-002683", annotations: { version: "002683" }, graph, componentSpecs: [] },
              ],
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
