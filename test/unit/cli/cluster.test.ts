import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { type ClusterState, findCluster } from "../../../cli/cluster/cluster";
import { rejection } from "../support/rejection";
import { type TestServer, serveHttp } from "../support/servers";

const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-cluster-"));

describe("the cluster", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  const before = process.env["KUBECONFIG"];
  let server: TestServer;
  let authorization: string | undefined;

  const kubeconfig = (text: string) => {
    process.env["KUBECONFIG"] = path.join(folder, "config");
    writeFileSync(process.env["KUBECONFIG"], text);
  };
  const pointingTo = (url: string) =>
    [
      "{apiVersion: v1, kind: Config, current-context: test,",
      `clusters: [{name: c, cluster: {server: "${url}", insecure-skip-tls-verify: true}}],`,
      "users: [{name: u, user: {token: secret}}],",
      "contexts: [{name: test, context: {cluster: c, user: u}}]}",
    ].join(" ");
  const reasonOf = (found: ClusterState) => ("reason" in found ? found.reason : undefined);

  beforeEach(async () => {
    server = await serveHttp((request, response) => {
      authorization = request.headers.authorization;
      if (request.url === "/version") response.end('{"gitVersion": "v1.34.4"}');
      else if (request.url === "/service") response.writeHead(400).end('{"status": {"info": "ten numbers"}}');
      else response.writeHead(404).end('{"kind": "Status", "message": "services \\"x\\" not found"}');
    });
  });
  afterEach(async () => {
    if (before === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = before;
    await server.close();
  });

  it("is none without a kubeconfig", async () => {
    process.env["KUBECONFIG"] = path.join(folder, "missing");
    expect(await findCluster()).to.deep.equal({ state: "none", reason: "no kubeconfig names one" });
  });

  it("is none where the kubeconfig is broken, or names none", async () => {
    kubeconfig("{");
    expect(reasonOf(await findCluster())).to.contain("the kubeconfig cannot be read");
    kubeconfig("{apiVersion: v1, kind: Config, current-context: gone}");
    expect(reasonOf(await findCluster())).to.contain('current context, "gone", names none');
  });

  it("is silent where nobody answers", async () => {
    kubeconfig(pointingTo("http://127.0.0.1:1"));
    const found = await findCluster();
    expect(found).to.include({ state: "silent", context: "test" });
    expect(reasonOf(found)).to.contain("ECONNREFUSED");
  });

  it("answers with the user's credentials, passes a service's answer on, and tells its own refusals", async () => {
    kubeconfig(pointingTo(server.url));
    const found = await findCluster();
    if (found.state !== "answers") throw new Error(JSON.stringify(found));
    expect([found.context, found.version]).to.deep.equal(["test", "v1.34.4"]);
    expect(authorization).to.equal("Bearer secret");
    expect(await found.cluster.send("/service", { body: "{}" })).to.deep.equal({
      status: 400,
      body: '{"status": {"info": "ten numbers"}}',
    });
    expect((await rejection(found.cluster.send("/other", { body: "{}" }))).message).to.equal(
      'services "x" not found',
    );
  });
});
