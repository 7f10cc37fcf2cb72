import { createHash } from "node:crypto";

import { expect } from "chai";

import type { ModelDeploymentArgs } from "../../../components/serving/seldon/modelDeployment";
import type { GraphNode } from "../../../components/serving/modelServer";
import { ownership } from "../../../components/kubernetes";
import { at, type Created } from "./support/created";
import { awaited, custom, deploy, predictor, predictors, versionOf } from "./support/models";

const available = "jsonpath={.status.state}=Available";

/** The Deployments that are waited for, and how many pods of each. */
function deployments(created: Created): string[] {
  const path = /^jsonpath=\{\.status\.deploymentStatus\['([^']+)'\]\.availableReplicas\}(=\d+)?$/;
  const conditions = awaited(created);
  expect(conditions.at(-1)).to.equal(available);
  return conditions.slice(0, -1).map((condition) => {
    const [, name = "?", replicas = ""] = path.exec(condition) ?? [];
    return `${name}${replicas}`;
  });
}

describe("a version of a model", () => {
  let version: string;
  before(async () => {
    version = await versionOf(custom);
  });

  const changes: Record<string, Partial<GraphNode>> = {
    "its image": { image: "registry.example.com/serve:2" },
    "the address of its files": { modelUri: "s3://models/b" },
    "a file of its": { sha256: { MLmodel: "0".repeat(64) } },
    "its memory": { resources: { ...custom.resources, memoryLimit: "1Gi" } },
    "its CPU": { resources: { ...custom.resources, cpu: "2" } },
    "a variable": { environment: { TOKEN: { secret: "service", key: "token" } } },
    "the key of a variable": { environment: { TOKEN: { secret: "service", key: "other" } } },
    "a parameter": { parameters: { model_name: "other" } },
    "the time that it may take to start": { startupSeconds: 300 },
    "a node behind it": { children: [{ ...custom, name: "behind" }] },
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`is another predictor when ${what} changes`, async () => {
      expect(await versionOf({ ...custom, ...change })).not.to.equal(version);
    });
  }

  it("is another predictor when the executor's resources change, where there is one", async () => {
    const executor = { cpu: "1", memory: "64Mi", memoryLimit: "256Mi" };
    const graph = { ...custom, ...changes["a node behind it"] };
    expect(await versionOf(graph, { executor })).not.to.equal(await versionOf(graph));
    expect(await versionOf(custom, { executor })).to.equal(version);
  });

  const same: Record<string, Partial<ModelDeploymentArgs>> = {
    "the number of pods": { predictors: [predictor({ replicas: 7 })] },
    "the disruption budget": { minAvailable: 1 },
  };
  for (const [what, change] of Object.entries(same)) {
    it(`is the same predictor when ${what} changes`, async () => {
      expect(predictors(await deploy(change))[0]?.["name"]).to.equal(version);
    });
  }

  it("is the same predictor when only its share of the traffic changes", async () => {
    const names = async (traffic: number) => {
      const both = [
        predictor({ name: "main", traffic }),
        predictor({ name: "canary", traffic: 100 - traffic }),
      ];
      return predictors(await deploy({ predictors: both })).map(({ name }) => name);
    };
    expect(await names(90)).to.deep.equal(await names(50));
  });

  it("is the same predictor whatever the order of variables and parameters", async () => {
    const [a, b] = [
      { secret: "s", key: "a" },
      { secret: "s", key: "b" },
    ];
    const one = { ...custom, environment: { A: a, B: b }, parameters: { x: 1, y: 2 } };
    const other = { ...custom, environment: { B: b, A: a }, parameters: { y: 2, x: 1 } };
    expect(await versionOf(one)).to.equal(await versionOf(other));
  });

  it("is named in the metrics by the hash that its predictor's name ends with", async () => {
    const [only] = predictors(await deploy());
    expect(at(only, "annotations", "version")).to.equal(version.slice(-6));
  });

  it("keeps its Service when everything else about it changes", async () => {
    const graph = { ...custom, ...changes["its image"], ...changes["its memory"] };
    const [before, after] = [await deploy(), await deploy({ predictors: [predictor({ graph })] })];
    expect(after.all("Service").map(({ inputs }) => inputs)).to.deep.equal(
      before.all("Service").map(({ inputs }) => inputs),
    );
    expect(after.outputs).to.deep.equal(before.outputs);
  });
});

describe("a version of a model under autoscaling", () => {
  const autoscaling = { minReplicas: 3, maxReplicas: 5, cpuUtilization: 70 };
  const scaled = (graph: GraphNode = custom, more: Partial<ModelDeploymentArgs> = {}) =>
    deploy({ autoscaling, predictors: [predictor({ graph })], ...more });
  const hashOf = (created: Created) => String(at(predictors(created)[0], "annotations", "version"));
  const selector = { "seldon-deployment-id": "house-price", "mlplatform/predictor": "default" };
  const budget = (version: string, minAvailable: number) => ({
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: {
      name: `house-price-default-${version}`,
      namespace: "m",
      labels: ownership,
      annotations: { "pulumi.com/waitFor": "condition=DisruptionAllowed" },
    },
    spec: {
      minAvailable,
      selector: { matchLabels: { ...selector, "mlplatform/version": version } },
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    },
  });

  it("stays in the Deployment of the one before, which keeps its pods, and is told by a label of its own", async () => {
    const [before, after] = [await scaled(), await scaled({ ...custom, modelUri: "s3://models/b" })];
    for (const created of [before, after]) {
      expect(deployments(created)).to.deep.equal(["house-price-default-scaled-0-house-price"]);
      expect(at(predictors(created)[0], "labels")).to.deep.equal({
        "mlplatform/predictor": "default",
        "mlplatform/version": hashOf(created),
      });
    }
    expect(hashOf(before)).to.not.equal(hashOf(after));
    expect(await versionOf(custom), "with a fixed number of pods").to.equal(`default-${hashOf(before)}`);
  });

  it("is waited for by a budget of its own, which allows a disruption when the fewest pods are ready", async () => {
    const created = await scaled();
    const { inputs, options, name } = created.one("PodDisruptionBudget");
    expect(inputs).to.deep.equal(budget(hashOf(created), 2));
    expect(name, "a resource of its own, so that the one before stays until it is there").to.equal(
      `it-default-${hashOf(created)}-budget`,
    );
    expect(created.dependencies("PodDisruptionBudget")).to.deep.equal(["SeldonDeployment it-seldon"]);
    expect(options).to.deep.include({ customTimeouts: { create: "12m", update: "12m" } });
    expect(created.dependencies("ConfigMap"), "who takes its address").to.have.members([
      "SeldonDeployment it-seldon",
      `PodDisruptionBudget ${name}`,
    ]);
  });

  it("has no second budget over its pods where one is asked for", async () => {
    const created = await scaled(custom, { minAvailable: 1 });
    expect(created.all("PodDisruptionBudget").map(({ inputs }) => inputs)).to.deep.equal([
      budget(hashOf(created), 2),
    ]);
  });

  it("leaves a single pod to those who drain its node", async () => {
    const created = await scaled(custom, { autoscaling: { ...autoscaling, minReplicas: 1 } });
    expect(created.inputs("PodDisruptionBudget")).to.deep.equal(budget(hashOf(created), 0));
  });
});

describe("a model in service", () => {
  it("is waited for by the Deployment of this very version, with all of its pods", async () => {
    const created = await deploy();
    const name = String(predictors(created)[0]?.["name"]);
    expect(deployments(created)).to.deep.equal([`house-price-${name}-0-house-price=2`]);
  });

  it("is waited for with each of its predictors", async () => {
    const created = await deploy({
      predictors: [
        predictor({ name: "main", traffic: 90, replicas: 3 }),
        predictor({ name: "canary", traffic: 10, replicas: 1 }),
      ],
    });
    const [main, canary] = predictors(created).map(({ name }) => String(name));
    expect(deployments(created)).to.deep.equal([
      `house-price-${main ?? ""}-0-house-price=3`,
      `house-price-${canary ?? ""}-0-house-price=1`,
    ]);
  });

  it("is not waited for by pods that it is not to have", async () => {
    expect(deployments(await deploy({ predictors: [predictor({ replicas: 0 })] }))).to.deep.equal([]);
  });

  it("is waited for by the operator's own name of a Deployment whose name would be too long", async () => {
    const model = "a-model-whose-name-has-forty-characters1";
    const graph = { ...custom, name: "inner" };
    const created = await deploy({ model, predictors: [predictor({ name: "a-rather-long-name", graph })] });
    const name = `${model}-${String(predictors(created)[0]?.["name"])}-0-inner`;
    expect(name.length).to.be.greaterThan(63);
    const md5 = createHash("md5").update(name).digest("hex");
    expect(deployments(created)).to.deep.equal([`seldon-${md5}=2`]);
  });

  it("is waited for by its name as it is where that has 63 characters", async () => {
    const name = (length: number) => "n".repeat(length);
    const rest = "house-price-default-123456-0-".length;
    const created = await deploy({
      predictors: [predictor({ graph: { ...custom, name: name(63 - rest) } })],
    });
    const [deployment = ""] = deployments(created);
    expect(deployment).to.match(/^house-price-default-[0-9a-f]{6}-0-n+=2$/);
    expect(deployment.length).to.equal(63 + "=2".length);
    const longer = await deploy({ predictors: [predictor({ graph: { ...custom, name: name(64 - rest) } })] });
    expect(deployments(longer)[0]).to.match(/^seldon-[0-9a-f]{32}=2$/);
  });
});
