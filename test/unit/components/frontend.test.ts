import { expect } from "chai";

import { Frontend, type FrontendArgs } from "../../../components/frontend/frontend";
import { listedModels } from "../../../components/frontend/listedModels";
import type { PlatformConfig } from "../../../config";
import type { ModelConfig } from "../../../config/models";
import { at, create, type Created } from "./support/created";
import { ownership } from "./support/surroundings";

const models = [{ name: "churn", protocol: "v2", address: "http://churn-default.m:8000", unit: "churn" }];
const resources = { cpu: "50m", memory: "192Mi", memoryLimit: "512Mi" };

function frontend(args: Partial<FrontendArgs> = {}): Promise<Created> {
  return create(() => {
    const { url } = new Frontend("it", {
      namespace: "fe",
      image: "example.com/page:1",
      models,
      resources,
      ...args,
    });
    return { url };
  });
}
const nameOfList = (created: Created) => at(created.inputs("ConfigMap", "it-models"), "metadata", "name");

describe("Frontend", () => {
  let created: Created;
  before(async () => {
    created = await frontend({ hosts: ["models.example.com"] });
  });

  it("is a list of models, a Deployment and a Service", () => {
    expect(created.list).to.deep.equal([
      "ConfigMap it-models",
      "Deployment it-deployment",
      "Frontend it",
      "Service it-service",
    ]);
    expect(created.outputs).to.deep.equal({ url: "http://frontend.fe.svc.cluster.local:8501" });
  });

  it("runs as strictly as `restricted` allows, without a token, on a file system that it cannot write to", () => {
    const pod = at(created.inputs("Deployment", "it-deployment"), "spec", "template", "spec");
    expect(pod).to.deep.include({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: {
        ...{ runAsNonRoot: true, runAsUser: 8888, runAsGroup: 8888, fsGroup: 8888 },
        seccompProfile: { type: "RuntimeDefault" },
      },
    });
    const [container, ...others] = at(pod, "containers") as object[];
    expect(others).to.deep.equal([]);
    expect(container).to.deep.include({
      image: "example.com/page:1",
      resources: { requests: { cpu: "50m", memory: "192Mi" }, limits: { memory: "512Mi" } },
      securityContext: {
        ...{ allowPrivilegeEscalation: false, privileged: false },
        ...{ readOnlyRootFilesystem: true, runAsNonRoot: true, capabilities: { drop: ["ALL"] } },
      },
      command: [
        ...["python", "-m", "frontend", "--models", "/etc/mlplatform/models.json"],
        ...["--host", "0.0.0.0", "--port", "8501"],
        ...["--name", "localhost", "--name", "127.0.0.1", "--name", "models.example.com"],
      ],
    });
  });

  it("reads the list where it is told to, and is another pod when the list changes", async () => {
    expect(created.inputs("ConfigMap", "it-models")).to.deep.include({
      immutable: true,
      data: { "models.json": JSON.stringify({ models }, undefined, 2) },
    });
    const volumes = at(created.inputs("Deployment", "it-deployment"), "spec", "template", "spec", "volumes");
    expect(volumes).to.deep.include({ name: "models", configMap: { name: nameOfList(created) } });
    expect(nameOfList(await frontend())).to.equal(nameOfList(created));
    expect(nameOfList(await frontend({ models: [] }))).not.to.equal(nameOfList(created));
  });

  it("is reached inside the cluster alone", () => {
    expect(at(created.inputs("Service", "it-service"), "spec")).to.deep.equal({
      type: "ClusterIP",
      selector: { "app.kubernetes.io/name": "frontend" },
      ports: [{ name: "http", port: 8501, targetPort: "http" }],
    });
    const labels = at(
      created.inputs("Deployment", "it-deployment"),
      "spec",
      "template",
      "metadata",
      "labels",
    );
    expect(labels).to.deep.equal({ ...ownership, "app.kubernetes.io/name": "frontend" });
  });
});

describe("the models that the front end lists", () => {
  const house = { name: "house-price", training: { image: "house-price-train" } } as unknown as ModelConfig;
  const listed = (model: object, decisions: object = {}) =>
    listedModels([model as ModelConfig], { decisions } as Pick<PlatformConfig, "decisions">);

  it("have version and score of what was decided", () => {
    const decisions = { "models:/house-price@champion": { version: 3, metrics: { test_score: 0.65 } } };
    expect(listed(house, decisions)).to.deep.equal([
      {
        ...{ name: "house-price", protocol: "seldon", unit: "house-price", version: "3" },
        address: "http://house-price-default.ml-models.svc.cluster.local:8000",
        score: { name: "R²", value: 0.65 },
      },
    ]);
  });

  it("have neither where nothing was decided", () => {
    const wine = { name: "wine", server: "SKLEARN_SERVER", model: "s3://models/wine" };
    expect(listed(wine)).to.deep.equal([
      {
        ...{ name: "wine", protocol: "v2", unit: "wine" },
        address: "http://wine-default.ml-models.svc.cluster.local:8000",
      },
    ]);
  });

  it("are graphs too, by the node that says what they take", () => {
    const children = [
      { name: "one", server: "XGBOOST_SERVER", resources: {}, children: [] },
      { name: "other", server: "XGBOOST_SERVER", resources: {}, children: [] },
    ];
    const [average] = listed({
      name: "wines",
      graph: { name: "average", image: "average-unit", resources: {}, children },
    });
    expect(average).to.deep.equal({
      ...{ name: "wines", protocol: "v2", unit: "one", chained: true },
      address: "http://wines-graph.ml-models.svc.cluster.local:8000",
    });
    const graph = {
      name: "listing",
      image: "house-listing-unit",
      resources: {},
      children: [{ name: "house-price", image: "house-price-serve", resources: {}, children: [] }],
    };
    const [houses] = listed({ name: "houses", graph });
    expect([houses?.protocol, houses?.unit]).to.deep.equal(["seldon", "listing"]);
  });

  it("are all versions side by side, each with its own, but for those that only get copies", () => {
    const predictors = [{ name: "main" }, { name: "canary", model: "models:/house-price/4" }];
    const decisions = {
      "models:/house-price@champion": { version: 3 },
      "models:/house-price/4": { version: 4 },
    };
    const several = listed(
      { ...house, predictors: [...predictors, { name: "copy", shadow: true }] },
      decisions,
    );
    expect(several.map(({ name, version }) => [name, version])).to.deep.equal([
      ["house-price (main)", "3"],
      ["house-price (canary)", "4"],
    ]);
    expect(several[1]?.address).to.contain("//house-price-canary.ml-models.");
  });
});
