import { createHash } from "node:crypto";

import { expect } from "chai";

import type { GraphNode } from "../../../components/serving/modelServer";
import type { ModelDeploymentArgs } from "../../../components/serving/seldon/modelDeployment";
import { at, type Created } from "./support/created";
import { awaited, custom, deploy, predictor, predictors, prepackaged } from "./support/models";
import { withoutRights } from "./support/surroundings";

/** Code in front of two models, one with a server of Seldon's and one with its own. */
const graph: GraphNode = {
  ...custom,
  name: "preprocess",
  type: "TRANSFORMER",
  modelUri: undefined,
  children: [
    {
      ...custom,
      name: "combine",
      type: "COMBINER",
      modelUri: undefined,
      parameters: {},
      startupSeconds: 600,
      children: [prepackaged, { ...custom, environment: { TOKEN: { secret: "service", key: "token" } } }],
    },
  ],
};

function containers(created: Created): Record<string, unknown>[] {
  return at(predictors(created)[0], "componentSpecs", 0, "spec", "containers") as Record<string, unknown>[];
}

describe("an inference graph", () => {
  let created: Created;
  before(async () => {
    created = await deploy({ protocol: "v2", predictors: [predictor({ name: "graph", graph })] });
  });

  it("reaches the operator as it was written, with keys for the nodes that have files", () => {
    expect(at(predictors(created)[0], "graph")).to.deep.equal({
      name: "preprocess",
      type: "TRANSFORMER",
      parameters: [{ name: "model_name", type: "STRING", value: "house-price" }],
      children: [
        {
          name: "combine",
          type: "COMBINER",
          children: [
            {
              name: "wine",
              type: "MODEL",
              implementation: "XGBOOST_SERVER",
              modelUri: "s3://models/wine",
              envSecretRefName: "keys",
            },
            {
              name: "house-price",
              type: "MODEL",
              modelUri: "s3://models/a",
              envSecretRefName: "keys",
              parameters: [{ name: "model_name", type: "STRING", value: "house-price" }],
            },
          ],
        },
      ],
    });
  });

  it("has Seldon's executor in front, whose ports the address leads to", () => {
    const [only] = predictors(created);
    expect(at(only, "annotations")).to.have.all.keys("version");
    expect(at(only, "svcOrchSpec")).to.deep.equal({
      resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "256Mi" } },
    });
    expect(at(created.inputs("Service", "it-service"), "spec", "ports")).to.deep.equal([
      { name: "http", port: 8000, targetPort: 8000 },
    ]);
  });

  it("is asked over gRPC where Seldon's executor can, and nobody has said otherwise", async () => {
    const grpc = { name: "grpc", port: 5001, targetPort: 5001 };
    const asked = async (args: Partial<ModelDeploymentArgs>) => {
      const made = await deploy({ protocol: "v2", predictors: [predictor({ graph })], ...args });
      return (at(made.inputs("Service", "it-service"), "spec", "ports") as object[]).slice(1);
    };
    const chain: GraphNode = { ...prepackaged, children: [{ ...prepackaged, name: "other" }] };
    expect(await asked({ protocol: "seldon" })).to.deep.equal([grpc]);
    expect(await asked({ predictors: [predictor({ graph: chain })] })).to.deep.equal([grpc]);
    expect(await asked({ protocol: "seldon", grpc: false })).to.deep.equal([]);
  });

  it("runs in one pod, with a container for each node that is named like it", () => {
    expect(at(predictors(created)[0], "componentSpecs")).to.have.length(1);
    expect(containers(created).map(({ name, image }) => ({ name, image }))).to.deep.equal([
      { name: "preprocess", image: "registry.example.com/serve:1" },
      { name: "combine", image: "registry.example.com/serve:1" },
      { name: "wine", image: "docker.io/seldonio/mlserver:1.7.1-xgboost" },
      { name: "house-price", image: "registry.example.com/serve:1" },
    ]);
  });

  it("gives no container rights", () => {
    for (const { name, securityContext } of containers(created))
      // MLServer's files are for its own user, and for the group 0.
      expect(securityContext, String(name)).to.deep.equal(
        name === "wine" ? { ...withoutRights, runAsGroup: 0 } : withoutRights,
      );
  });

  it("gives variables to the container alone whose they are", () => {
    const names = containers(created).map(({ name, env }) => [
      name,
      [
        ...new Set(
          (env as { name: string }[]).map((variable) => variable.name.replace(/^MLSERVER_.*/, "MLSERVER")),
        ),
      ],
    ]);
    expect(Object.fromEntries(names)).to.deep.equal({
      preprocess: ["HOME"],
      combine: ["HOME"],
      wine: ["HOME", "MLSERVER", "OMP_NUM_THREADS", "PYTHONPATH", "MLPLATFORM_PID_FILE"],
      "house-price": ["HOME", "TOKEN"],
    });
  });

  it("is waited for by the Deployment that is named after all of its containers", () => {
    const name = String(predictors(created)[0]?.["name"]);
    const md5 = createHash("md5").update(`house-price-graph-${name}-0-preprocess-combine-wine-house-price`);
    expect(awaited(created)[0]).to.include(`['seldon-${md5.digest("hex")}']`);
  });

  it("is waited for as long as its slowest node may take", () => {
    expect(created.one("SeldonDeployment").options).to.deep.equal({
      customTimeouts: { create: "20m", update: "20m" },
    });
  });

  it("is asked without a name by the Open Inference Protocol, which would hand it on to every node", () => {
    expect(created.outputs["urls"]).to.deep.equal({
      url: "http://house-price.m.svc.cluster.local:8000/v2/models/infer",
      predictors: { graph: "http://house-price-graph.m.svc.cluster.local:8000/v2/models/infer" },
    });
  });

  it("is another SeldonDeployment than a single model of the name, with another address", async () => {
    const { name, labels } = created.inputs("SeldonDeployment", "it-graph-seldon")["metadata"] as {
      name: string;
      labels: Record<string, string>;
    };
    expect([name, labels["mlplatform/model"]]).to.deep.equal(["house-price-graph", "house-price"]);
    expect(at(created.inputs("Service", "it-graph-service"), "spec", "selector")).to.deep.equal({
      "seldon-deployment-id": "house-price-graph",
      "mlplatform/predictor": "graph",
    });
    const single = await deploy();
    expect(at(single.inputs("SeldonDeployment", "it-seldon"), "metadata", "name")).to.equal("house-price");
    // Whichever was there before is behind the model's address until the other is ready.
    expect(single.dependencies("Service", "it-service")).to.include("SeldonDeployment it-seldon");
  });

  it("has a splitter before it, which knows the paths of a single model, and goes before the graph does", async () => {
    const behind = await deploy({
      protocol: "v2",
      splitterImage: "docker.io/envoyproxy/envoy:v1",
      predictors: [predictor({ name: "graph", graph })],
    });
    expect(behind.inputs("Splitter")["shares"]).to.deep.equal(["graph 100 %"]);
    const { data } = behind.inputs("ConfigMap", "it-splitter-config") as { data: Record<string, string> };
    const chain = at(
      JSON.parse(data["envoy.json"] ?? ""),
      "static_resources",
      "listeners",
      0,
      "filter_chains",
      0,
    );
    const routes = at(chain, "filters", 0, "typed_config", "route_config", "virtual_hosts", 0, "routes");
    const paths = (routes as object[]).map((route) => [
      at(route, "match", "path"),
      at(route, "route", "prefix_rewrite"),
    ]);
    expect(paths).to.deep.equal([
      ["/v2/models/house-price/infer", "/v2/models/infer"],
      ["/v2/models/house-price", "/v2/models/preprocess"],
      ["/v2/models/house-price/ready", "/v2/health/ready"],
      [undefined, undefined],
    ]);
    expect(behind.dependencies("Splitter", "it-splitter")).to.include.members([
      "SeldonDeployment it-graph-seldon",
      "Service it-graph-service",
    ]);
    expect(behind.dependencies("Service", "it-service")).to.include("Deployment it-splitter-deployment");
    expect(at(behind.outputs["urls"], "url")).to.equal(
      "http://house-price.m.svc.cluster.local:8000/v2/models/house-price/infer",
    );
  });

  it("is asked as a single model is by Seldon's protocol", async () => {
    const seldon = await deploy({ protocol: "seldon", predictors: [predictor({ name: "graph", graph })] });
    expect(seldon.outputs["urls"]).to.deep.equal({
      url: "http://house-price.m.svc.cluster.local:8000/api/v1.0/predictions",
      predictors: { graph: "http://house-price-graph.m.svc.cluster.local:8000/api/v1.0/predictions" },
    });
    expect(at(containers(seldon)[0], "readinessProbe", "httpGet", "path")).to.equal("/health/ping");
  });
});
