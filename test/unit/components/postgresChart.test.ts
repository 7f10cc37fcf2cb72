import { expect } from "chai";

import { PostgresChart, type PostgresChartArgs } from "../../../components/database/postgresChart";
import { at, consume, create, type Created, without } from "./support/created";
import { installed, ownership, requirements, resources } from "./support/surroundings";

function postgres(args: Partial<PostgresChartArgs> = {}): Promise<Created> {
  return create(() => {
    const { host, port, database, username, password } = new PostgresChart("it", {
      namespace: "pg",
      storage: { size: "2Gi" },
      resources,
      ...args,
    });
    consume("host-user", host);
    return { host, port, database, username, password };
  });
}

function values(created: Created, ...path: string[]): unknown {
  return at(created.inputs("Release"), "values", ...path);
}

const password = "made-up-it-password-result";
const adminPassword = "made-up-it-admin-password-result";

describe("PostgresChart", () => {
  let created: Created;
  before(async () => {
    created = await postgres();
  });

  it("creates a release, its Secrets and their passwords", () => {
    expect(created.list).to.deep.equal([
      "ConfigMap host-user",
      "PostgresChart it",
      "RandomPassword it-admin-password",
      "RandomPassword it-password",
      "Release it-release",
      "Secret it-admin",
      "Secret it-user",
    ]);
  });

  it("installs the pinned chart under a fixed name, and waits for it", () => {
    expect(without(created.inputs("Release"), "values")).to.deep.equal({
      ...installed,
      chart: "oci://registry-1.docker.io/cloudpirates/postgres",
      version: "0.20.1",
      name: "postgresql",
      namespace: "pg",
    });
    expect(created.one("Release").options).to.deep.equal({ deleteBeforeReplace: true });
  });

  it("makes passwords that every chart takes as they are", () => {
    for (const { inputs } of created.all("RandomPassword"))
      expect(inputs).to.deep.equal({ length: 32, special: false });
  });

  it("keeps the superuser's password and the user's in Secrets of their own", () => {
    expect(created.inputs("Secret", "it-admin")).to.deep.equal({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "postgres-admin", namespace: "pg", labels: ownership },
      stringData: { "postgres-password": adminPassword },
    });
    expect(created.inputs("Secret", "it-user")).to.deep.equal({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "mlflow-db", namespace: "pg", labels: ownership },
      stringData: { username: "mlflowuser", database: "mlflowdb", password },
    });
    for (const name of ["it-admin", "it-user"])
      expect(created.one("Secret", name).secretPaths).to.include("stringData");
  });

  it("names the Secrets to the chart, and tells it no password", () => {
    expect(values(created, "auth")).to.deep.equal({ existingSecret: "postgres-admin" });
    expect(values(created, "customUser")).to.deep.equal({
      existingSecret: "mlflow-db",
      secretKeys: { name: "username", database: "database", password: "password" },
    });
    expect(JSON.stringify(created.inputs("Release"))).not.to.match(/made-up/);
    expect(created.one("Release").secretPaths).to.deep.equal([]);
    expect(created.dependencies("Release")).to.deep.equal(["Secret it-admin", "Secret it-user"]);
  });

  it("makes the user's schema in the user's database, first in the search path", () => {
    expect(values(created, "initdb")).to.deep.equal({
      scripts: {
        "10-mlflow-schema.sql":
          "\\connect mlflowdb\n" +
          "CREATE SCHEMA IF NOT EXISTS mlflow AUTHORIZATION mlflowuser;\n" +
          "ALTER DATABASE mlflowdb SET search_path = mlflow;\n",
      },
    });
  });

  it("takes the image by its digest, from the mirror where there is one", async () => {
    const tag = "18.6@sha256:06cad38a5d9f5d24b4d83d86def30795d5e4b757fedbf5281172b576dedcd941";
    const image = { repository: "library/postgres", tag, imagePullPolicy: "IfNotPresent" };
    expect(values(created, "image")).to.deep.equal({ ...image, registry: "docker.io" });
    const mirror = { images: "mirror.example.com/all", charts: "oci://mirror.example.com/charts" };
    const mirrored = await postgres({ mirror });
    expect(values(mirrored, "image")).to.deep.equal({ ...image, registry: "mirror.example.com/all" });
    expect(values(mirrored, "metrics", "image", "registry")).to.equal("mirror.example.com/all");
    expect(mirrored.inputs("Release")["chart"]).to.equal("oci://mirror.example.com/charts/postgres");
  });

  it("is one server, whose names do not follow from the release", () => {
    expect(values(created, "fullnameOverride")).to.equal("postgresql");
    expect(values(created, "replicaCount")).to.equal(undefined);
    expect(values(created, "replication")).to.equal(undefined);
  });

  it("meets Pod Security restricted, with resources of its own", () => {
    expect(values(created, "podSecurityContext")).to.deep.equal({
      fsGroup: 999,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(values(created, "resources")).to.deep.equal(requirements);
  });

  it("is asked soon and often whether it is ready, and has five minutes to start", () => {
    expect(values(created, "startupProbe")).to.deep.equal({
      initialDelaySeconds: 1,
      periodSeconds: 2,
      failureThreshold: 150,
    });
    expect(values(created, "readinessProbe")).to.deep.equal({ initialDelaySeconds: 0 });
    expect(values(created, "livenessProbe")).to.deep.equal({ initialDelaySeconds: 0 });
  });

  it("names a storage class only where one is given, since an empty one would mean none", async () => {
    expect(values(created, "persistence")).to.deep.equal({ size: "2Gi" });
    const fast = await postgres({ storage: { size: "9Gi", storageClass: "fast" } });
    expect(values(fast, "persistence")).to.deep.equal({ size: "9Gi", storageClass: "fast" });
  });

  it("has neither exporter nor monitor unless it is to be monitored", async () => {
    expect(values(created, "metrics", "enabled")).to.equal(false);
    expect(values(created, "metrics", "serviceMonitor")).to.deep.equal({ enabled: false, selector: {} });
    const monitored = await postgres({ monitorLabels: { release: "prometheus" } });
    expect(values(monitored, "metrics")).to.deep.equal({
      enabled: true,
      image: {
        registry: "quay.io",
        repository: "prometheuscommunity/postgres-exporter",
        tag: "v0.20.1@sha256:ac5ec343104fae0e2d84a27bb8d69b38430a11910c5382cad85d478d2bab713e",
        pullPolicy: "IfNotPresent",
      },
      resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "64Mi" } },
      serviceMonitor: { enabled: true, selector: { release: "prometheus" } },
    });
  });

  it("protects the release and the passwords where the data must survive, and nothing else", async () => {
    const kept = await postgres({ protect: true });
    const isProtected = ({ options }: { options: { protect?: boolean } }) => options.protect === true;
    expect(kept.resources.filter(isProtected).map(({ name }) => name)).to.deep.equal([
      "it-release",
      "it-admin-password",
      "it-password",
    ]);
    expect(created.resources.filter(isProtected)).to.deep.equal([]);
  });

  it("merges the values that are given over its own, last", async () => {
    const given = await postgres({
      values: { persistence: { size: "1Ti" }, config: { postgresql: { max_connections: 50 } } },
    });
    const own = values(created) as object;
    expect(values(given)).to.deep.equal({
      ...own,
      persistence: { size: "1Ti" },
      config: { postgresql: { max_connections: 50 } },
    });
  });

  it("tells where the database is, and the password as a secret", () => {
    expect(created.outputs).to.deep.equal({
      host: "postgresql.pg.svc.cluster.local",
      port: 5432,
      database: "mlflowdb",
      username: "mlflowuser",
      password,
    });
    expect(created.secretOutputs).to.deep.equal(["password"]);
  });

  it("lets those who take its address wait for the release", () => {
    expect(created.dependencies("ConfigMap")).to.deep.equal(["Release it-release"]);
  });
});
