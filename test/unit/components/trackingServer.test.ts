import { readFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import { projectDir } from "../../../cli/paths";

import { TrackingServer, type TrackingServerArgs } from "../../../components/tracking/trackingServer";
import { at, consume, create, type Created, environment, jobContainer, without } from "./support/created";
import {
  asUser,
  database,
  installed,
  objectStore,
  ownership,
  requirements,
  resources,
  withoutRights,
} from "./support/surroundings";

function tracking(args: Partial<TrackingServerArgs> = {}): Promise<Created> {
  return create(() => {
    const { uri, artifactLocation } = new TrackingServer("it", {
      namespace: "t",
      database: database(),
      objectStore: objectStore(),
      replicas: 2,
      workers: 3,
      resources,
      ...args,
    });
    consume("uri-user", uri);
    return { uri, artifactLocation };
  });
}

function values(created: Created, ...path: string[]): unknown {
  return at(created.inputs("Release"), "values", ...path);
}

const ingress = {
  host: "mlflow.example.com",
  className: "nginx",
  tlsSecret: "mlflow-tls",
  annotations: { "nginx.ingress.kubernetes.io/auth-type": "basic" },
};

const ownHosts = [
  ...["localhost", "localhost:*", "127.0.0.1", "127.0.0.1:*", "10.*", "172.*", "192.168.*"],
  ...["mlflow", "mlflow:*", "mlflow.t", "mlflow.t:*", "mlflow.t.svc", "mlflow.t.svc:*"],
  ...["mlflow.t.svc.cluster.local", "mlflow.t.svc.cluster.local:*"],
];

describe("TrackingServer", () => {
  let created: Created;
  before(async () => {
    created = await tracking();
  });

  it("creates a release, the Secrets for its stores and the Job that makes the tables", () => {
    expect(created.list).to.deep.equal([
      "ConfigMap uri-user",
      "Job it-migration",
      "Release it-release",
      "Secret it-database",
      "Secret it-store",
      "TrackingServer it",
    ]);
  });

  it("installs the pinned chart under a fixed name, and waits for it", () => {
    expect(without(created.inputs("Release"), "values")).to.deep.equal({
      ...installed,
      chart: "mlflow",
      repositoryOpts: { repo: "https://community-charts.github.io/helm-charts" },
      version: "1.11.5",
      name: "mlflow",
      namespace: "t",
    });
    expect(created.one("Release").options).to.deep.equal({ deleteBeforeReplace: true });
  });

  it("has the keys of its stores in Secrets of its own namespace", () => {
    const secret = (name: string, stringData: Record<string, string>) => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace: "t", labels: ownership },
      stringData,
    });
    expect(created.inputs("Secret", "it-database")).to.deep.equal(
      secret("mlflow-db", { username: "tracker", password: "database-secret" }),
    );
    expect(created.inputs("Secret", "it-store")).to.deep.equal(
      secret("mlflow-s3", { AWS_ACCESS_KEY_ID: "tracking-id", AWS_SECRET_ACCESS_KEY: "tracking-secret" }),
    );
    expect(created.one("Secret", "it-database").secretPaths).to.include("stringData.password");
    expect(created.one("Secret", "it-store").secretPaths).to.include("stringData.AWS_SECRET_ACCESS_KEY");
  });

  it("tells chart and Job no key, but the Secrets that hold it", () => {
    for (const kind of ["Release", "Job"]) {
      expect(JSON.stringify(created.inputs(kind)), kind).not.to.match(/-secret"/);
      expect(created.one(kind).secretPaths, kind).to.deep.equal([]);
    }
    expect(values(created, "backendStore", "existingDatabaseSecret")).to.deep.equal({
      name: "mlflow-db",
      usernameKey: "username",
      passwordKey: "password",
    });
    expect(values(created, "backendStore", "postgres")).not.to.have.any.keys("user", "password");
  });

  it("keeps runs in Postgres, by the driver that it has", () => {
    expect(values(created, "backendStore", "postgres")).to.deep.equal({
      enabled: true,
      host: "db.example.com",
      port: 6432,
      database: "tracking",
      driver: "psycopg2",
    });
  });

  it("hands artifacts through, from a folder of the models' bucket", () => {
    expect(values(created, "artifactRoot")).to.deep.equal({
      proxiedArtifactStorage: true,
      s3: {
        enabled: true,
        bucket: "our-models",
        path: "mlflow",
        existingSecret: {
          name: "mlflow-s3",
          keyOfAccessKeyId: "AWS_ACCESS_KEY_ID",
          keyOfSecretAccessKey: "AWS_SECRET_ACCESS_KEY",
        },
      },
    });
    expect(values(created, "extraEnvVars")).to.deep.equal({
      AWS_DEFAULT_REGION: "eu-west-1",
      AWS_ENDPOINT_URL: "https://s3.example.com",
      HOME: "/tmp",
      MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false",
    });
  });

  it("has the tables made before any server starts, and by no server", () => {
    expect(values(created, "backendStore", "databaseMigration")).to.equal(false);
    expect(values(created, "backendStore", "databaseConnectionCheck")).to.equal(false);
    expect(created.dependencies("Release")).to.deep.equal([
      "Job it-migration",
      "Secret it-database",
      "Secret it-store",
    ]);
    expect(created.dependencies("Job")).to.deep.equal(["Secret it-database"]);
  });

  it("makes the tables with the server's own image, whose libpq finds the database in its environment", () => {
    const container = jobContainer(created.inputs("Job"));
    expect(at(container, "image")).to.equal("docker.io/burakince/mlflow:3.15.1");
    expect(environment(container)).to.deep.equal({
      PGHOST: "db.example.com",
      PGPORT: "6432",
      PGDATABASE: "tracking",
      PGUSER: "mlflow-db/username",
      PGPASSWORD: "mlflow-db/password",
      HOME: "/tmp",
    });
    const [interpreter, option, script] = at(container, "command") as string[];
    expect([interpreter, option]).to.deep.equal(["python", "-c"]);
    expect(script).to.equal(readFileSync(path.join(projectDir, "components/tracking/migration.py"), "utf8"));
  });

  it("makes the tables as a user without rights and without a token", () => {
    const pod = at(created.inputs("Job"), "spec", "template", "spec");
    expect(at(pod, "securityContext")).to.deep.equal(asUser(1001));
    expect(at(pod, "automountServiceAccountToken")).to.equal(false);
    expect(at(pod, "containers", 0, "securityContext")).to.deep.equal(withoutRights);
  });

  it("runs as many pods and processes as it is told", () => {
    expect(values(created, "replicaCount")).to.equal(2);
    expect(values(created, "extraArgs")).to.deep.equal({ workers: "3" });
    expect(values(created, "resources")).to.deep.equal(requirements);
    expect(values(created, "service")).to.deep.equal({ port: 5000 });
  });

  it("takes its image from the mirror where there is one, with tag and digest as the chart wants them", async () => {
    const image = { repository: "docker.io/burakince/mlflow", tag: "3.15.1", digest: "" };
    expect(values(created, "image")).to.deep.equal(image);
    const mirrored = await tracking({ mirror: { images: "mirror.example.com/all" } });
    const repository = "mirror.example.com/all/burakince/mlflow";
    expect(values(mirrored, "image")).to.deep.equal({ ...image, repository });
    expect(at(jobContainer(mirrored.inputs("Job")), "image")).to.equal(`${repository}:3.15.1`);
  });

  it("lets itself be called by its names in the cluster, a port-forward and Prometheus, and by no other", () => {
    expect(values(created, "serverAllowedHosts")).to.deep.equal(ownHosts);
    expect(values(created, "ingress")).to.equal(undefined);
  });

  it("lets itself be called by the user's names beside its own", async () => {
    const open = await tracking({ values: { serverAllowedHosts: ["*.example.ts.net"] } });
    expect(values(open, "serverAllowedHosts")).to.deep.equal([...ownHosts, "*.example.ts.net"]);
  });

  it("lets itself be called by its public name too where there is an ingress", async () => {
    const open = await tracking({ ingress });
    expect(values(open, "serverAllowedHosts")).to.deep.equal([
      ...ownHosts,
      "mlflow.example.com",
      "mlflow.example.com:*",
    ]);
    expect(values(open, "ingress")).to.deep.equal({
      enabled: true,
      className: "nginx",
      annotations: ingress.annotations,
      hosts: [{ host: "mlflow.example.com", paths: [{ path: "/", pathType: "Prefix" }] }],
      tls: [{ hosts: ["mlflow.example.com"], secretName: "mlflow-tls" }],
    });
  });

  it("has a monitor of the port that there is, in its own namespace, only where it is to be monitored", async () => {
    const monitor = (enabled: boolean, labels: object) => ({
      enabled,
      useServicePort: true,
      namespace: "t",
      labels,
    });
    expect(values(created, "serviceMonitor")).to.deep.equal(monitor(false, {}));
    const monitored = await tracking({ monitorLabels: { release: "prometheus" } });
    expect(values(monitored, "serviceMonitor")).to.deep.equal(monitor(true, { release: "prometheus" }));
  });

  it("can write its metrics, on a root file system that it cannot write to", () => {
    expect(values(created, "extraVolumes")).to.deep.equal([{ name: "metrics", emptyDir: {} }]);
    expect(values(created, "extraVolumeMounts")).to.deep.equal([
      { name: "metrics", mountPath: "/mlflow/metrics" },
    ]);
  });

  it("meets Pod Security restricted, and gets no token", () => {
    expect(values(created, "podSecurityContext")).to.deep.equal({
      fsGroup: 1001,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(values(created, "serviceAccount")).to.deep.equal({ automount: false });
    expect(values(created)).not.to.have.any.keys("podAnnotations", "securityContext", "auth");
  });

  it("is asked soon and often whether it is ready", () => {
    expect(values(created, "readinessProbe")).to.include({ initialDelaySeconds: 2, periodSeconds: 2 });
    expect(values(created, "livenessProbe")).to.include({ initialDelaySeconds: 60, periodSeconds: 30 });
  });

  it("merges the values that are given over its own, last", async () => {
    const given = await tracking({ values: { extraArgs: { workers: "8" }, nodeSelector: { disk: "ssd" } } });
    expect(values(given)).to.deep.equal({
      ...(values(created) as object),
      extraArgs: { workers: "8" },
      nodeSelector: { disk: "ssd" },
    });
  });

  it("tells its address and where its artifacts lie, and lets who takes the address wait for it", () => {
    expect(created.outputs).to.deep.equal({
      uri: "http://mlflow.t.svc.cluster.local:5000",
      artifactLocation: "s3://our-models/mlflow",
    });
    expect(created.secretOutputs).to.deep.equal([]);
    expect(created.dependencies("ConfigMap")).to.deep.equal(["Release it-release"]);
  });
});
