import * as docker from "@pulumi/docker";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

/** A database as the platform has one: password, Secret, release. */
class Database extends pulumi.ComponentResource {
  readonly password: pulumi.Output<string>;
  readonly release: k8s.helm.v3.Release;

  constructor(name: string, opts: pulumi.ComponentResourceOptions) {
    super("mlplatform:database:PostgresChart", name, {}, opts);
    const namespace = new k8s.core.v1.Namespace(
      `${name}-namespace`,
      {
        metadata: { name: "postgres", labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
      },
      { parent: this },
    );
    const password = new random.RandomPassword(
      `${name}-password`,
      { length: 24, special: false },
      { parent: this },
    );
    const secret = new k8s.core.v1.Secret(
      `${name}-credentials`,
      {
        metadata: { name: "postgres-admin", namespace: namespace.metadata.name },
        stringData: { username: "admin", "postgres-password": password.result },
      },
      { parent: this },
    );
    this.password = password.result;
    this.release = new k8s.helm.v3.Release(
      `${name}-release`,
      {
        name: "postgresql",
        chart: "oci://registry.example.com/charts/postgres",
        version: "0.20.1",
        namespace: namespace.metadata.name,
        values: {
          auth: { existingSecret: secret.metadata.name },
          image: { registry: "docker.io", repository: "library/postgres", tag: "18.6" },
        },
        timeout: 600,
      },
      { parent: this, protect: true, customTimeouts: { create: "20m" }, ignoreChanges: ["values.note"] },
    );
    this.registerOutputs();
  }
}

/** A program with one of everything that a recording must tell apart. */
export function sampleProgram() {
  const config = new pulumi.Config("mlplatform");
  const cluster = new k8s.Provider("cluster", { context: config.require("context"), kubeconfig: "" });
  const opts = { provider: cluster };
  const database = new Database("db", { ...opts, aliases: [{ name: "old-db" }] });
  const image = new docker.Image("app", {
    imageName: "registry.example.com/app:abc",
    build: { context: "." },
  });
  const token = config.getSecret("token") ?? pulumi.secret("none");
  new k8s.core.v1.Secret(
    "connection",
    {
      metadata: { name: "connection", namespace: "apps" },
      stringData: {
        host: database.release.status.name,
        uri: pulumi.interpolate`postgresql://admin:${database.password}@postgresql/db`,
        token,
      },
    },
    { ...opts, retainOnDelete: true },
  );
  new k8s.apps.v1.Deployment(
    "app",
    {
      metadata: { name: "app", namespace: "apps" },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: "app" } },
        template: {
          metadata: { labels: { app: "app" } },
          spec: {
            containers: [
              { name: "app", image: image.imageName },
              { name: "built", image: image.repoDigest },
            ],
          },
        },
      },
    },
    { ...opts, dependsOn: [database.release, database] },
  );
  void pulumi.log.warn("Seldon Core 1.18.2 is under the Business Source Licence.");
  void pulumi.log.info("The database is that of the chart.", database.release);
  return {
    chart: database.release.chart,
    password: database.password,
    revision: database.release.status.revision,
  };
}

/** Configuration for {@link sampleProgram}. */
export const sampleConfig = { "mlplatform:context": "a-context" };
