import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { type Cluster, findCluster } from "../../../cli/cluster/cluster";
import { ClusterWatch } from "../../../cli/cluster/diagnosis/watch";
import { type TestServer, serveHttp } from "../support/servers";
import { ended, of, pod, running, waiting } from "./support";

const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-watch-"));

describe("a watch over a cluster", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  const kubeconfig = process.env["KUBECONFIG"];
  let server: TestServer;
  let cluster: Cluster;
  let answers: Record<string, { status?: number; body: unknown }>;
  let asked: string[];

  const refusal = (status: number) => ({ status, body: { kind: "Status", message: "forbidden" } });
  const crashing = pod("mlflow-7d", {
    containers: { mlflow: { state: waiting("CrashLoopBackOff"), last: ended(1, 14, 14), restarts: 2 } },
  });
  const pods = "/api/v1/namespaces/mlflow/pods";
  const log = `${pods}/mlflow-7d/log?container=mlflow&tailLines=12&previous=true`;

  before(async () => {
    server = await serveHttp((request, response) => {
      const url = request.url ?? "";
      asked.push(url);
      const { status = 200, body } = answers[url] ?? refusal(403);
      response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body));
    });
    process.env["KUBECONFIG"] = path.join(folder, "config");
    writeFileSync(
      process.env["KUBECONFIG"],
      [
        "{apiVersion: v1, kind: Config, current-context: test,",
        `clusters: [{name: c, cluster: {server: "${server.url}", insecure-skip-tls-verify: true}}],`,
        "users: [{name: u, user: {token: secret}}], contexts: [{name: test, context: {cluster: c, user: u}}]}",
      ].join(" "),
    );
    [asked, answers] = [[], { "/version": { body: { gitVersion: "v1.34.4" } } }];
    const found = await findCluster();
    if (found.state !== "answers") throw new Error(JSON.stringify(found));
    cluster = found.cluster;
  });
  beforeEach(() => {
    [asked, answers] = [[], { [pods]: { body: { items: [crashing] } } }];
  });
  after(async () => {
    if (kubeconfig === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = kubeconfig;
    await server.close();
  });

  it("tells what it may see, with the last lines of the failing container", async () => {
    answers[log] = { body: "starting\n\u001b[31mno such database\u001b[0m\n" };
    const [finding, ...others] = await new ClusterWatch(cluster).look(["mlflow", "postgres"]);
    expect(finding).to.deep.include({
      object: { kind: "Pod", namespace: "mlflow", name: "mlflow-7d" },
      severity: "error",
      log: ["starting", "no such database"],
    });
    expect(others).to.deep.equal([]);
  });

  it("does without a log that it cannot have", async () => {
    const [finding] = await new ClusterWatch(cluster).look(["mlflow"]);
    expect(finding?.what).to.equal("container mlflow of pod mlflow-7d crashes (exit code 1, 2 restarts)");
    expect(finding).not.to.have.property("log");
    expect(asked).to.include(log);
  });

  it("tells what a model's pod has found of its files, which no waiting mends", async () => {
    const said =
      "/mnt/models is not what was decided on: model.ubj has sha256 0123456789ab… instead of ba9876543210…";
    answers[log] = { body: `INFO loading\n${said}\n` };
    const [finding] = await new ClusterWatch(cluster).look(["mlflow"]);
    expect(finding).to.include({ severity: "error" });
    expect(finding?.what)
      .to.match(/crashes \(exit code 1, 2 restarts\); it says: /)
      .and.include(said);
    expect(finding?.mend).to.include("npm run models -- update");
  });

  it("reads in the log that a program is for another architecture", async () => {
    answers[log] = { body: "exec /usr/bin/mlflow: exec format error\n" };
    const [finding] = await new ClusterWatch(cluster).look(["mlflow"]);
    expect(finding?.what).to.equal(
      "container mlflow of pod mlflow-7d cannot be started: its program is for another architecture than the node's (exec format error)",
    );
  });

  it("asks MLflow why a Job that runs does not get on, before the Job gives up", async () => {
    const train = pod("train-a", {
      metadata: of("Job", "job"),
      containers: { main: { state: running(0), ready: true } },
    });
    answers["/apis/batch/v1/namespaces/ml-models/jobs"] = {
      body: { items: [{ metadata: { name: "train", uid: "job" }, spec: {}, status: {} }] },
    };
    answers["/api/v1/namespaces/ml-models/pods"] = { body: { items: [train] } };
    answers[`${pods}/mlflow-7d/log?container=mlflow&tailLines=200&sinceSeconds=20`] = {
      body: "botocore.errorfactory: An error occurred (XMinioStorageFull) when calling the PutObject operation",
    };
    const [finding] = await new ClusterWatch(cluster).look(["ml-models"]);
    expect(finding).to.include({ severity: "error" });
    expect(finding?.what).to.match(/^Job train runs for 0 s; MLflow says: .*XMinioStorageFull/);
    expect(finding?.mend).to.match(/^A volume is full/);
  });

  it("says what a Job waits for, in the last words that it has of that", async () => {
    const migration = pod("mlflow-migration-a", {
      metadata: of("Job", "job"),
      containers: { main: { state: running(0), ready: true } },
    });
    answers["/apis/batch/v1/namespaces/mlflow/jobs"] = {
      body: { items: [{ metadata: { name: "mlflow-migration", uid: "job" }, spec: {}, status: {} }] },
    };
    answers[pods] = { body: { items: [migration] } };
    const asks = (reason: string) =>
      `the database db:5432 does not answer yet: ${reason}; asking again in 1 s`;
    const said = async (...lines: readonly string[]) => {
      answers[`${pods}/mlflow-migration-a/log?container=main&tailLines=12`] = { body: lines.join("\n") };
      const [finding] = await new ClusterWatch(cluster).look(["mlflow"]);
      return {
        severity: finding?.severity,
        what: finding?.what.replace("Job mlflow-migration runs for 0 s", ""),
      };
    };
    const refused = asks("Connection refused");
    expect(await said("starting", refused)).to.deep.equal({
      severity: "warning",
      what: `; it says: ${refused}`,
    });
    expect(await said(refused, "connected")).to.deep.equal({ severity: "warning", what: "" });
  });

  it("asks for no log where nothing is wrong", async () => {
    answers[pods] = { body: { items: [] } };
    expect(await new ClusterWatch(cluster).look(["mlflow"])).to.deep.equal([]);
    expect(asked.filter((url) => url.includes("/log?"))).to.deep.equal([]);
  });

  it("tells credentials that have expired", async () => {
    answers[pods] = refusal(401);
    expect(await new ClusterWatch(cluster).look(["mlflow"])).to.deep.equal([
      {
        object: { kind: "Cluster", namespace: "", name: "test" },
        cause: "cluster",
        what: "cluster test no longer accepts your credentials",
        mend: "Log in to the cluster again.",
        severity: "error",
      },
    ]);
  });

  it("tells a cluster that is gone", async () => {
    await server.close();
    const [finding, ...others] = await new ClusterWatch(cluster).look(["mlflow", "postgres"]);
    expect(finding?.what).to.match(/^cluster test does not answer: .*ECONNREFUSED/);
    expect(finding).to.include({ cause: "cluster", severity: "warning" });
    expect(others).to.deep.equal([]);
  });
});
