import { expect } from "chai";

import type { ModelUrls } from "../../../components/serving/modelServer";
import { at, type Created } from "./support/created";
import { custom, deploy, predictor, predictors, prepackaged } from "./support/models";
import { asUser, ownership, requirements, withoutRights } from "./support/surroundings";

const scratch = { name: "tmp", mountPath: "/tmp" };

function probe(path: string, rest: object) {
  return { httpGet: { path, port: "http" }, timeoutSeconds: 2, ...rest };
}

function pod(containers: object[], volumes: object[] = []) {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: asUser(8888),
    containers,
    volumes: [{ name: "tmp", emptyDir: {} }, ...volumes],
  };
}

describe("ModelDeployment", () => {
  let created: Created;
  before(async () => {
    created = await deploy();
  });

  it("creates a SeldonDeployment and a Service", () => {
    expect(created.list).to.deep.equal([
      "ConfigMap url-user",
      "ModelDeployment it",
      "SeldonDeployment it-seldon",
      "Service it-default-service",
      "Service it-service",
    ]);
    expect(created.inputs("ModelDeployment")).to.deep.equal({ model: "house-price" });
  });

  it("serves an image of one's own with files from the store, as a user without rights", () => {
    const { metadata, ...rest } = created.inputs("SeldonDeployment");
    const [name = ""] = predictors(created).map((one) => one["name"] as string);
    expect(name).to.match(/^default-[0-9a-f]{6}$/);
    expect(at(metadata, "name")).to.equal("house-price");
    expect(at(metadata, "namespace")).to.equal("m");
    expect(at(metadata, "labels")).to.deep.equal(ownership);
    expect(rest).to.deep.equal({
      apiVersion: "machinelearning.seldon.io/v1",
      kind: "SeldonDeployment",
      spec: {
        protocol: "seldon",
        predictors: [
          {
            name,
            replicas: 2,
            traffic: 100,
            annotations: { version: name.slice(-6), "seldon.io/no-engine": "true" },
            labels: { "mlplatform/predictor": "default" },
            graph: {
              name: "house-price",
              type: "MODEL",
              modelUri: "s3://models/a",
              envSecretRefName: "keys",
              parameters: [{ name: "model_name", type: "STRING", value: "house-price" }],
            },
            componentSpecs: [
              {
                spec: pod([
                  {
                    name: "house-price",
                    image: "registry.example.com/serve:1",
                    imagePullPolicy: "IfNotPresent",
                    env: [{ name: "HOME", value: "/tmp" }],
                    resources: requirements,
                    securityContext: withoutRights,
                    volumeMounts: [scratch],
                    startupProbe: probe("/health/ping", { periodSeconds: 1, failureThreshold: 120 }),
                    readinessProbe: probe("/health/ping", { periodSeconds: 2, failureThreshold: 3 }),
                    livenessProbe: probe("/health/ping", { periodSeconds: 10, failureThreshold: 3 }),
                  },
                ]),
              },
            ],
          },
        ],
      },
    });
    expect(created.one("SeldonDeployment").secretPaths).to.deep.equal([]);
  });

  it("goes also where Seldon's operator is gone: nothing of it is changed once it is deleted", async () => {
    expect(at((await deploy()).inputs("SeldonDeployment"), "metadata", "annotations")).to.include({
      "pulumi.com/deletionPropagationPolicy": "background",
    });
  });

  it("serves a prepackaged server by the Open Inference Protocol, which is ready when it answers as at training", async () => {
    const wine = await deploy({
      protocol: "v2",
      serverFiles: "standard-server-0",
      predictors: [predictor({ graph: prepackaged })],
    });
    expect(at(wine.inputs("SeldonDeployment"), "spec", "protocol")).to.equal("v2");
    const [only] = predictors(wine);
    expect(at(only, "labels")).to.include({ "mlplatform/server": "mlserver" });
    expect(at(only, "graph")).to.deep.equal({
      name: "wine",
      type: "MODEL",
      implementation: "XGBOOST_SERVER",
      modelUri: "s3://models/wine",
      envSecretRefName: "keys",
    });
    expect(at(only, "componentSpecs")).to.deep.equal([
      {
        spec: pod(
          [
            {
              name: "wine",
              image: "docker.io/seldonio/mlserver:1.7.1-xgboost",
              imagePullPolicy: "IfNotPresent",
              env: [
                { name: "HOME", value: "/tmp" },
                { name: "MLSERVER_DEBUG", value: "false" },
                { name: "MLSERVER_GRPC_MAX_MESSAGE_LENGTH", value: "1048576" },
                {
                  name: "MLSERVER_MODEL_REPOSITORY_IMPLEMENTATION",
                  value: "standardserver.guard.Repository",
                },
                { name: "MLSERVER_PARALLEL_WORKERS", value: "0" },
                { name: "OMP_NUM_THREADS", value: "1" },
                { name: "MLSERVER_ENVIRONMENTS_DIR", value: "/tmp" },
                { name: "MLSERVER_METRICS_DIR", value: "/tmp" },
                { name: "MLSERVER_MODELS_DIR", value: "/opt/mlplatform/standardserver" },
                { name: "PYTHONPATH", value: "/opt/mlplatform" },
                { name: "MLPLATFORM_PID_FILE", value: "/tmp/mlserver.pid" },
              ],
              resources: requirements,
              securityContext: { ...withoutRights, runAsGroup: 0 },
              volumeMounts: [
                scratch,
                { name: "standardserver", mountPath: "/opt/mlplatform/standardserver", readOnly: true },
              ],
              startupProbe: {
                exec: { command: ["python", "/opt/mlplatform/standardserver/startup.py"] },
                timeoutSeconds: 10,
                periodSeconds: 2,
                failureThreshold: 30,
              },
              readinessProbe: probe("/v2/health/ready", { periodSeconds: 2, failureThreshold: 3 }),
              livenessProbe: probe("/v2/health/live", { periodSeconds: 10, failureThreshold: 3 }),
              lifecycle: {
                preStop: { exec: { command: ["python", "/opt/mlplatform/standardserver/farewell.py"] } },
              },
            },
          ],
          [{ name: "standardserver", configMap: { name: "standard-server-0" } }],
        ),
      },
    ]);
    expect(wine.outputs["urls"]).to.deep.equal({
      url: "http://house-price.m.svc.cluster.local:8000/v2/models/wine/infer",
      predictors: { default: "http://house-price-default.m.svc.cluster.local:8000/v2/models/wine/infer" },
    });
  });

  it("fetches no files, and needs no keys, for a model that is in its image", async () => {
    const graph = { ...custom, modelUri: undefined };
    const [only] = predictors(await deploy({ predictors: [predictor({ graph })] }));
    expect(at(only, "graph")).not.to.have.any.keys("modelUri", "envSecretRefName");
  });

  it("passes parameters with their types, in alphabetical order", async () => {
    const parameters = { threshold: 0.5, name: "x", depth: 6, strict: true };
    const withTypes = await deploy({ predictors: [predictor({ graph: { ...custom, parameters } })] });
    expect(at(predictors(withTypes)[0], "graph", "parameters")).to.deep.equal([
      { name: "depth", type: "INT", value: "6" },
      { name: "name", type: "STRING", value: "x" },
      { name: "strict", type: "BOOL", value: "true" },
      { name: "threshold", type: "FLOAT", value: "0.5" },
    ]);
  });

  it("has no variable of the user's but from a Secret, since Seldon copies the others", async () => {
    const environment = {
      TOKEN: { secret: "service", key: "token" },
      API_KEY: { secret: "other", key: "api-key" },
    };
    const withSecrets = await deploy({ predictors: [predictor({ graph: { ...custom, environment } })] });
    const from = (name: string, secret: string, key: string) => ({
      name,
      valueFrom: { secretKeyRef: { name: secret, key } },
    });
    const containers = at(predictors(withSecrets)[0], "componentSpecs", 0, "spec", "containers");
    expect(at(containers, 0, "env")).to.deep.equal([
      { name: "HOME", value: "/tmp" },
      from("API_KEY", "other", "api-key"),
      from("TOKEN", "service", "token"),
    ]);
  });

  it("has an address that stays, and leads to the pods of every version", () => {
    const address = (name: string) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: {
        name,
        namespace: "m",
        labels: ownership,
        annotations: { "pulumi.com/skipAwait": "true" },
      },
      spec: {
        type: "ClusterIP",
        selector: { "seldon-deployment-id": "house-price", "mlplatform/predictor": "default" },
        ports: [
          { name: "http", port: 8000, targetPort: 9000 },
          { name: "grpc", port: 5001, targetPort: 9500 },
        ],
      },
    });
    expect(created.inputs("Service", "it-service")).to.deep.equal(address("house-price"));
    expect(created.inputs("Service", "it-default-service")).to.deep.equal(address("house-price-default"));
    const at = (host: string) => `http://${host}.m.svc.cluster.local:8000/api/v1.0/predictions`;
    expect(created.outputs).to.deep.equal({
      urls: { url: at("house-price"), predictors: { default: at("house-price-default") } },
    });
  });

  it("lets those who take its address wait until the model is in service", () => {
    expect(created.dependencies("ConfigMap")).to.deep.equal(["SeldonDeployment it-seldon"]);
  });

  it("has as many pods as the load asks for under autoscaling, and no fixed number then", async () => {
    const scaled = await deploy({ autoscaling: { minReplicas: 2, maxReplicas: 5, cpuUtilization: 70 } });
    const [only] = predictors(scaled);
    expect(only).not.to.have.any.keys("replicas");
    expect(at(only, "componentSpecs", 0, "hpaSpec")).to.deep.equal({
      minReplicas: 2,
      maxReplicas: 5,
      metricsv2: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } },
        },
      ],
    });
    expect(at(predictors(created)[0], "componentSpecs", 0)).not.to.have.any.keys("hpaSpec", "pdbSpec");
  });

  it("has a disruption budget for each predictor of its own, and none unless asked for", async () => {
    expect(created.all("PodDisruptionBudget")).to.deep.equal([]);
    const both = [predictor({ name: "main", traffic: 90 }), predictor({ name: "canary", traffic: 10 })];
    const kept = await deploy({ minAvailable: 1, predictors: both });
    const budgets = ["canary", "main"].map((name) => ({
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: `house-price-${name}`, namespace: "m", labels: ownership },
      spec: {
        minAvailable: 1,
        selector: {
          matchLabels: { "seldon-deployment-id": "house-price", "mlplatform/predictor": name },
        },
      },
    }));
    expect(kept.all("PodDisruptionBudget").map(({ inputs }) => inputs)).to.deep.equal(budgets);
    expect(JSON.stringify(kept.inputs("SeldonDeployment"))).not.to.include("pdbSpec");
  });

  it("splits the traffic between predictors, of which a shadow gets copies", async () => {
    const split = await deploy({
      predictors: [
        predictor({ name: "main", traffic: 90 }),
        predictor({ name: "canary", traffic: 10, replicas: 1 }),
        predictor({ name: "shadow", traffic: 50, shadow: true, replicas: 1 }),
      ],
    });
    const shares = predictors(split).map(({ name, traffic, shadow, replicas }) => ({
      name: String(name).replace(/-[0-9a-f]{6}$/, ""),
      traffic,
      shadow,
      replicas,
    }));
    expect(shares).to.deep.equal([
      { name: "main", traffic: 90, shadow: false, replicas: 2 },
      { name: "canary", traffic: 10, shadow: false, replicas: 1 },
      { name: "shadow", traffic: 50, shadow: true, replicas: 1 },
    ]);
    expect(split.all("Service").map(({ inputs }) => at(inputs, "metadata", "name"))).to.deep.equal([
      ...["house-price-canary", "house-price-main", "house-price-shadow"],
    ]);
    const { predictors: urls } = split.outputs["urls"] as ModelUrls;
    expect(Object.keys(urls)).to.have.members(["main", "canary", "shadow"]);
    expect(split.outputs["urls"], "where Istio splits").not.to.have.property("url");
  });

  it("gives a single predictor all of the traffic, the only share that Seldon takes for it", async () => {
    const [only] = predictors(await deploy({ predictors: [predictor({ traffic: 20 })] }));
    expect(only).to.include({ traffic: 100 });
    expect(only).not.to.have.any.keys("shadow");
  });

  it("waits as long as the slowest container may take, after what has to be fetched", async () => {
    const timeouts = async (startupSeconds: number) => {
      const slow = await deploy({ predictors: [predictor({ graph: { ...custom, startupSeconds } })] });
      return slow.one("SeldonDeployment").options;
    };
    expect(await timeouts(120)).to.deep.equal({ customTimeouts: { create: "12m", update: "12m" } });
    expect(await timeouts(3600)).to.deep.equal({ customTimeouts: { create: "70m", update: "70m" } });
  });
});
