import { expect } from "chai";

import { ModelNamespace, type ModelNamespaceArgs } from "../../../components/serving/modelNamespace";
import { at, create, type Created } from "./support/created";
import { objectStore, ownership } from "./support/surroundings";

function namespace(args: Partial<ModelNamespaceArgs> = {}): Promise<Created> {
  return create(() => {
    const { namespace, storageSecret, trainingSecret } = new ModelNamespace("it", {
      namespace: "m",
      objectStore: objectStore(),
      quota: { cpu: "3", memory: "4Gi", pods: 20 },
      ...args,
    });
    return { namespace, storageSecret, trainingSecret };
  });
}

const bounds = { name: "models", namespace: "m", labels: ownership };

describe("ModelNamespace", () => {
  let created: Created;
  before(async () => {
    created = await namespace();
  });

  it("creates two Secrets and bounds, in a namespace that is there", () => {
    expect(created.list).to.deep.equal([
      "LimitRange it-limits",
      "ModelNamespace it",
      "ResourceQuota it-quota",
      "Secret it-storage",
      "Secret it-training",
    ]);
  });

  it("has once what stands beside all of its standard servers", async () => {
    const standard = await namespace({ standardServer: true });
    const { data, immutable, metadata } = standard.inputs("ConfigMap", "it-server");
    expect({ immutable, files: Object.keys(data as object) }).to.deep.equal({
      immutable: true,
      files: [
        "__init__.py",
        "answers.py",
        "arrays.py",
        "by_signature.py",
        "comparing.py",
        "decided.py",
        "described.py",
        "expected.py",
        "farewell.py",
        "guard.py",
        "logged.py",
        "over_grpc.py",
        "over_rest.py",
        "printing.py",
        "rows.py",
        "startup.py",
        "times.py",
        "values.py",
      ],
    });
    expect(String(at(metadata, "name"))).to.match(/^standard-server-[0-9a-f]{8}$/);
  });

  it("gives Seldon's init container rclone's remote, with the keys of the user who reads models", () => {
    expect(created.inputs("Secret", "it-storage")).to.deep.equal({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "seldon-init-container-secret", namespace: "m", labels: ownership },
      stringData: {
        RCLONE_CONFIG_S3_TYPE: "s3",
        RCLONE_CONFIG_S3_PROVIDER: "Ceph",
        RCLONE_CONFIG_S3_ENV_AUTH: "false",
        RCLONE_CONFIG_S3_ACCESS_KEY_ID: "serving-id",
        RCLONE_CONFIG_S3_SECRET_ACCESS_KEY: "serving-secret",
        RCLONE_CONFIG_S3_ENDPOINT: "https://s3.example.com",
        RCLONE_CONFIG_S3_REGION: "eu-west-1",
        RCLONE_RETRIES: "5",
        RCLONE_RETRIES_SLEEP: "2s",
        RCLONE_CONTIMEOUT: "10s",
      },
    });
    expect(created.one("Secret", "it-storage").secretPaths).to.include(
      "stringData.RCLONE_CONFIG_S3_SECRET_ACCESS_KEY",
    );
  });

  it("gives trainings the keys of the user who reads data sets", () => {
    expect(created.inputs("Secret", "it-training")).to.deep.equal({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "training-s3", namespace: "m", labels: ownership },
      stringData: { AWS_ACCESS_KEY_ID: "training-id", AWS_SECRET_ACCESS_KEY: "training-secret" },
    });
    expect(created.one("Secret", "it-training").secretPaths).to.include("stringData.AWS_SECRET_ACCESS_KEY");
  });

  it("has the keys of the user who scores tables where there are some, and else not", async () => {
    const scoring = await namespace({ scoring: true });
    expect(scoring.list).to.include("Secret it-batch");
    expect(scoring.inputs("Secret", "it-batch")).to.deep.include({
      metadata: { name: "batch-s3", namespace: "m", labels: ownership },
      stringData: { AWS_ACCESS_KEY_ID: "batch-id", AWS_SECRET_ACCESS_KEY: "batch-secret" },
    });
  });

  it("has no key of the user who may write", () => {
    const all = JSON.stringify(created.resources.map(({ inputs }) => inputs));
    expect(all).not.to.match(/tracking-(id|secret)/);
  });

  it("bounds what all pods ask for, and opens no port of the nodes", () => {
    expect(created.inputs("ResourceQuota")).to.deep.equal({
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: bounds,
      spec: {
        hard: {
          "requests.cpu": "3",
          "requests.memory": "4Gi",
          pods: "20",
          "services.nodeports": "0",
          "services.loadbalancers": "0",
        },
      },
    });
  });

  it("has something asked for by containers that ask for nothing, without a limit for the CPU", () => {
    expect(created.inputs("LimitRange")).to.deep.equal({
      apiVersion: "v1",
      kind: "LimitRange",
      metadata: bounds,
      spec: {
        limits: [
          {
            type: "Container",
            defaultRequest: { cpu: "50m", memory: "64Mi" },
            default: { memory: "512Mi" },
          },
        ],
      },
    });
  });

  it("has all models monitored only where they are to be", async () => {
    expect(created.all("PodMonitor")).to.deep.equal([]);
    const monitored = await namespace({ monitorLabels: { release: "prometheus" } });
    const monitor = (resource: string) => monitored.inputs("PodMonitor", `it-${resource}`);
    expect(monitor("monitor")).to.deep.equal({
      apiVersion: "monitoring.coreos.com/v1",
      kind: "PodMonitor",
      metadata: { name: "models", namespace: "m", labels: { ...ownership, release: "prometheus" } },
      spec: {
        selector: { matchLabels: { "app.kubernetes.io/managed-by": "seldon-core" } },
        podMetricsEndpoints: [{ port: "metrics", path: "/prometheus" }],
      },
    });
    // MLServer's port is not among those that its pods declare, by which Prometheus finds pods.
    const { selector, podMetricsEndpoints } = monitor("server-monitor")["spec"] as Record<string, unknown>;
    expect(selector).to.deep.equal({ matchLabels: { "mlplatform/server": "mlserver" } });
    const [endpoint] = podMetricsEndpoints as Record<string, unknown>[];
    expect(endpoint).to.include({ port: "http", path: "/prometheus" });
    const last = (endpoint?.["relabelings"] as Record<string, string>[]).at(-1);
    expect(last).to.deep.include({ sourceLabels: ["__address__"], targetLabel: "__address__" });
    const { regex = "", replacement = "" } = last ?? {};
    const asked = (address: string) => address.replace(new RegExp(`^${regex}$`), replacement);
    expect([asked("10.1.2.3:9000"), asked("[fd00::1]:9012")]).to.deep.equal([
      "10.1.2.3:6000",
      "[fd00::1]:6012",
    ]);
  });

  it("tells the names of the Secrets, and no keys", () => {
    expect(created.outputs).to.deep.equal({
      namespace: "m",
      storageSecret: "seldon-init-container-secret",
      trainingSecret: "training-s3",
    });
    expect(created.secretOutputs).to.deep.equal([]);
  });
});
