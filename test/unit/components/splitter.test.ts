import { expect } from "chai";

import { at, type Created } from "./support/created";
import { custom, deploy, predictor } from "./support/models";
import { asUser, ownership, withoutRights } from "./support/surroundings";

const image = "docker.io/envoyproxy/envoy:v1";
const three = [
  predictor({ traffic: 90 }),
  predictor({ name: "canary", traffic: 10, graph: { ...custom, modelUri: "s3://models/b" } }),
  predictor({ name: "copy", shadow: true, graph: { ...custom, modelUri: "s3://models/c" } }),
];

describe("a splitter", () => {
  let created: Created;
  before(async () => {
    created = await deploy({ splitterImage: image, predictors: three });
  });

  /** What Envoy is told of where the requests of a protocol go. */
  const route = (of: Created, listener: number) => {
    const { data } = of.inputs("ConfigMap", "it-splitter-config") as { data: Record<string, string> };
    const config: unknown = JSON.parse(data["envoy.json"] ?? "");
    const chain = at(config, "static_resources", "listeners", listener, "filter_chains", 0, "filters", 0);
    return at(chain, "typed_config", "route_config", "virtual_hosts", 0, "routes", 0, "route");
  };

  it("stands before several predictors, and before no single one", async () => {
    expect(created.inputs("Splitter")).to.deep.equal({
      model: "house-price",
      shares: ["default 90 %", "canary 10 %", "copy 100 % as a shadow"],
    });
    expect((await deploy({ splitterImage: image })).all("Splitter")).to.deep.equal([]);
    expect((await deploy({ predictors: three })).all("Splitter"), "with Istio").to.deep.equal([]);
  });

  it("gives each its share, in both protocols, and a shadow copies", () => {
    for (const [listener, wire] of ["rest", "grpc"].entries()) {
      expect(at(route(created, listener), "weighted_clusters", "clusters")).to.deep.equal([
        { name: `default-${wire}`, weight: 90 },
        { name: `canary-${wire}`, weight: 10 },
      ]);
      expect(at(route(created, listener), "request_mirror_policies")).to.deep.equal([
        {
          cluster: `copy-${wire}`,
          runtime_fraction: { default_value: { numerator: 100, denominator: "HUNDRED" } },
          disable_shadow_host_suffix_append: true,
        },
      ]);
    }
  });

  it("gives all to the one that answers beside a shadow", async () => {
    const shadowed = await deploy({
      splitterImage: image,
      predictors: [predictor(), predictor({ name: "copy", shadow: true, traffic: 20 })],
    });
    expect(shadowed.inputs("Splitter")["shares"]).to.deep.equal(["default 100 %", "copy 20 % as a shadow"]);
  });

  it("is behind the model's address as soon as it is ready, and the predictors keep theirs", () => {
    const of = (name: string) => created.inputs("Service", name)["spec"];
    expect(of("it-service")).to.deep.equal({
      type: "ClusterIP",
      selector: { "app.kubernetes.io/component": "splitter", "app.kubernetes.io/name": "house-price" },
      ports: [
        { name: "http", port: 8000, targetPort: 8000 },
        { name: "grpc", port: 5001, targetPort: 5001 },
      ],
    });
    expect(created.dependencies("Service", "it-service")).to.include("Deployment it-splitter-deployment");
    expect(at(of("it-canary-service"), "selector", "mlplatform/predictor")).to.equal("canary");
  });

  it("is another pod for other shares, which is ready before the former one goes", async () => {
    const halves = await deploy({
      splitterImage: image,
      predictors: [
        predictor({ traffic: 50 }),
        { ...predictor({ name: "canary", traffic: 50 }), graph: custom },
      ],
    });
    const config = (of: Created) =>
      at(of.inputs("Deployment"), "spec", "template", "spec", "volumes", 0, "configMap", "name");
    expect(config(halves)).not.to.equal(config(created));
    expect(at(created.inputs("Deployment"), "spec", "strategy", "rollingUpdate")).to.deep.equal({
      maxUnavailable: 0,
      maxSurge: 1,
    });
  });

  it("runs as a user without rights, and says goodbye to its clients", () => {
    const pod = at(created.inputs("Deployment"), "spec", "template", "spec") as Record<string, unknown>;
    expect(pod["securityContext"]).to.deep.equal(asUser(101));
    expect(pod["automountServiceAccountToken"]).to.equal(false);
    const container = at(pod, "containers", 0) as Record<string, unknown>;
    expect(container["securityContext"]).to.deep.equal(withoutRights);
    expect(JSON.stringify(container["lifecycle"])).to.include("POST /drain_listeners?graceful");
    expect(Number(pod["terminationGracePeriodSeconds"]), "longer than the goodbye").to.be.greaterThan(20);
  });

  it("has two pods where the model has several, of which one stays while nodes are drained", async () => {
    expect(at(created.inputs("Deployment"), "spec", "replicas")).to.equal(2);
    expect(created.inputs("PodDisruptionBudget", "it-splitter-budget")).to.deep.equal({
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "house-price-splitter", namespace: "m", labels: ownership },
      spec: {
        minAvailable: 1,
        selector: {
          matchLabels: { "app.kubernetes.io/component": "splitter", "app.kubernetes.io/name": "house-price" },
        },
      },
    });
    const single = await deploy({
      splitterImage: image,
      predictors: three.map((one) => ({ ...one, replicas: 1 })),
    });
    expect(at(single.inputs("Deployment"), "spec", "replicas")).to.equal(1);
    expect(single.all("PodDisruptionBudget")).to.deep.equal([]);
  });
});
