import { expect } from "chai";

import { MinioChart, type MinioChartArgs } from "../../../components/objectStore/minioChart";
import { setupScript } from "../../../components/objectStore/minioSetup";
import { at, consume, create, type Created, environment, jobContainer, without } from "./support/created";
import { asUser, installed, ownership, requirements, resources, withoutRights } from "./support/surroundings";

function minio(args: Partial<MinioChartArgs> = {}): Promise<Created> {
  return create(() => {
    const { endpoint, region, provider, modelBucket, dataBucket, users } = new MinioChart("it", {
      namespace: "s3",
      storage: { size: "5Gi" },
      resources,
      ...args,
    });
    consume("endpoint-user", endpoint);
    return { endpoint, region, provider, modelBucket, dataBucket, users };
  });
}

function values(created: Created, ...path: string[]): unknown {
  return at(created.inputs("Release"), "values", ...path);
}

/** Names of the resources that have the text in their inputs. */
function having(created: Created, text: string): string[] {
  return created.resources
    .filter(({ inputs }) => JSON.stringify(inputs).includes(text))
    .map(({ name }) => name);
}

const rootPassword = "made-up-it-root-password-result";

describe("MinioChart", () => {
  let created: Created;
  before(async () => {
    created = await minio();
  });

  it("creates a release, its users' keys and the Job that sets it up", () => {
    expect(created.list.filter((title) => !title.startsWith("ConfigMap "))).to.deep.equal([
      "Job it-setup",
      "MinioChart it",
      "RandomPassword it-batch-key",
      "RandomPassword it-root-password",
      "RandomPassword it-serving-key",
      "RandomPassword it-tracking-key",
      "RandomPassword it-training-key",
      "Release it-release",
      "Secret it-root",
      "Secret it-users",
    ]);
  });

  it("installs the pinned chart under a fixed name, and waits for it", () => {
    expect(without(created.inputs("Release"), "values")).to.deep.equal({
      ...installed,
      chart: "oci://registry-1.docker.io/cloudpirates/minio",
      version: "0.13.3",
      name: "minio",
      namespace: "s3",
    });
    expect(created.one("Release").options).to.deep.equal({ deleteBeforeReplace: true });
  });

  it("tells the chart these values and no other: no buckets, whose Job and policies would be the chart's", () => {
    expect(values(created)).to.deep.equal({
      fullnameOverride: "minio",
      image: {
        registry: "docker.io",
        repository: "cloudpirates/image-minio",
        tag: "RELEASE.2025-10-15T17-29-55Z-hardened@sha256:8dc02a7e509336c8bbb67962086d691bdcde20a2c9327ed68e5081a681f6dbfc",
        imagePullPolicy: "IfNotPresent",
      },
      auth: {
        existingSecret: "minio-root",
        existingSecretUserKey: "user",
        existingSecretPasswordKey: "password",
      },
      config: { region: "us-east-1", extraEnvVars: [] },
      persistence: { size: "5Gi", annotations: {} },
      resources: requirements,
      podSecurityContext: {
        fsGroup: 1001,
        fsGroupChangePolicy: "OnRootMismatch",
        seccompProfile: { type: "RuntimeDefault" },
      },
      readinessProbe: { initialDelaySeconds: 1, periodSeconds: 2 },
    });
  });

  it("has the root key in one Secret, which the release and the set-up alone are told of", () => {
    expect(created.inputs("Secret", "it-root")).to.deep.equal({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "minio-root", namespace: "s3", labels: ownership },
      stringData: { user: "root", password: rootPassword },
    });
    expect(created.one("Secret", "it-root").secretPaths).to.include("stringData");
    expect(having(created, rootPassword)).to.deep.equal(["it-root"]);
    expect(having(created, "minio-root")).to.have.members(["it-root", "it-release", "it-setup"]);
    expect(JSON.stringify(created.outputs)).not.to.include(rootPassword);
  });

  it("makes keys that the set-up can hand on line by line", () => {
    for (const { inputs } of created.all("RandomPassword"))
      expect(inputs).to.deep.equal({ length: 32, special: false });
  });

  it("gives the users' keys to the set-up in a Secret, and to nothing else", () => {
    expect(created.inputs("Secret", "it-users")).to.deep.equal({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "minio-users", namespace: "s3", labels: ownership },
      stringData: {
        TRACKING_SECRET_KEY: "made-up-it-tracking-key-result",
        SERVING_SECRET_KEY: "made-up-it-serving-key-result",
        TRAINING_SECRET_KEY: "made-up-it-training-key-result",
        BATCH_SECRET_KEY: "made-up-it-batch-key-result",
      },
    });
    expect(created.one("Secret", "it-users").secretPaths).to.include("stringData");
    for (const user of ["tracking", "serving", "training", "batch"])
      expect(having(created, `made-up-it-${user}-key-result`), user).to.deep.equal(["it-users"]);
  });

  it("sets up buckets and users after the release, with the server's own image", () => {
    const container = jobContainer(created.inputs("Job"));
    expect(at(container, "command")).to.deep.equal([
      "/bin/sh",
      "-c",
      setupScript("minio.s3.svc.cluster.local:9000"),
    ]);
    expect(at(container, "image")).to.equal(
      "docker.io/cloudpirates/image-minio:RELEASE.2025-10-15T17-29-55Z-hardened" +
        "@sha256:8dc02a7e509336c8bbb67962086d691bdcde20a2c9327ed68e5081a681f6dbfc",
    );
    const { KEYS_DIGEST: digest, ...variables } = environment(container);
    expect(digest).to.match(/^[0-9a-f]{12}$/);
    expect(variables).to.deep.equal({
      ROOT_USER: "minio-root/user",
      ROOT_PASSWORD: "minio-root/password",
      TRACKING_SECRET_KEY: "minio-users/TRACKING_SECRET_KEY",
      SERVING_SECRET_KEY: "minio-users/SERVING_SECRET_KEY",
      TRAINING_SECRET_KEY: "minio-users/TRAINING_SECRET_KEY",
      BATCH_SECRET_KEY: "minio-users/BATCH_SECRET_KEY",
    });
    expect(created.dependencies("Job")).to.deep.equal([
      ...["batch", "serving", "tracking", "training"].map((user) => `RandomPassword it-${user}-key`),
      "Release it-release",
      "Secret it-root",
      "Secret it-users",
    ]);
  });

  it("sets up as a user without rights, and without the labels that the Service looks for", () => {
    const job = created.inputs("Job");
    expect(at(job, "spec", "template", "spec", "securityContext")).to.deep.equal(asUser(1001));
    expect(at(jobContainer(job), "securityContext")).to.deep.equal(withoutRights);
    expect(at(job, "spec", "template", "spec", "automountServiceAccountToken")).to.equal(false);
    expect(at(job, "spec", "template", "metadata", "labels")).to.deep.equal({
      ...ownership,
      "app.kubernetes.io/component": "minio-setup",
    });
  });

  it("takes images and chart from the mirror where there is one", async () => {
    const mirrored = await minio({ mirror: { images: "mirror.example.com", charts: "./charts" } });
    expect(mirrored.inputs("Release")["chart"]).to.equal("./charts/minio");
    expect(values(mirrored, "image", "registry")).to.equal("mirror.example.com");
    expect(at(jobContainer(mirrored.inputs("Job")), "image")).to.match(
      /^mirror\.example\.com\/cloudpirates\/image-minio:.+@sha256:/,
    );
  });

  it("keeps the volume, and protects release and keys, only where the data must survive", async () => {
    const kept = await minio({ protect: true, storage: { size: "9Gi", storageClass: "fast" } });
    expect(values(kept, "persistence")).to.deep.equal({
      size: "9Gi",
      storageClass: "fast",
      annotations: { "helm.sh/resource-policy": "keep" },
    });
    const isProtected = ({ options }: { options: { protect?: boolean } }) => options.protect === true;
    expect(kept.resources.filter(isProtected).map(({ name }) => name)).to.deep.equal([
      "it-release",
      "it-batch-key",
      "it-root-password",
      "it-serving-key",
      "it-tracking-key",
      "it-training-key",
    ]);
    expect(created.resources.filter(isProtected)).to.deep.equal([]);
  });

  it("shows its metrics to a monitor where there is to be one, and has none otherwise", async () => {
    expect(created.all("ServiceMonitor")).to.deep.equal([]);
    const monitored = await minio({ monitorLabels: { release: "prometheus" } });
    expect(monitored.inputs("ServiceMonitor")).to.deep.equal({
      apiVersion: "monitoring.coreos.com/v1",
      kind: "ServiceMonitor",
      metadata: { name: "minio", namespace: "s3", labels: { ...ownership, release: "prometheus" } },
      spec: {
        selector: { matchLabels: { "app.kubernetes.io/instance": "minio" } },
        endpoints: [{ port: "minio", path: "/minio/v2/metrics/cluster" }],
      },
    });
    expect(values(monitored, "config", "extraEnvVars")).to.deep.equal([
      { name: "MINIO_PROMETHEUS_AUTH_TYPE", value: "public" },
    ]);
  });

  it("merges the values that are given over its own, last", async () => {
    const given = await minio({ values: { config: { region: "eu-west-1" }, ingress: { enabled: false } } });
    expect(values(given)).to.deep.equal({
      ...(values(created) as object),
      config: { region: "eu-west-1", extraEnvVars: [] },
      ingress: { enabled: false },
    });
  });

  it("tells where the store is and what its users' keys are, those as secrets", () => {
    expect(created.outputs).to.deep.equal({
      endpoint: "http://minio.s3.svc.cluster.local:9000",
      region: "us-east-1",
      provider: "Minio",
      modelBucket: "models",
      dataBucket: "datasets",
      users: {
        tracking: { accessKeyId: "mlflow", secretAccessKey: "made-up-it-tracking-key-result" },
        serving: { accessKeyId: "models", secretAccessKey: "made-up-it-serving-key-result" },
        training: { accessKeyId: "training", secretAccessKey: "made-up-it-training-key-result" },
        batch: { accessKeyId: "batch", secretAccessKey: "made-up-it-batch-key-result" },
      },
    });
    expect(created.secretOutputs).to.deep.equal([
      "users.batch.secretAccessKey",
      "users.serving.secretAccessKey",
      "users.tracking.secretAccessKey",
      "users.training.secretAccessKey",
    ]);
  });

  it("lets those who take the address wait until buckets and users are there", () => {
    expect(created.dependencies("ConfigMap", "endpoint-user")).to.deep.equal(["Job it-setup"]);
  });
});
