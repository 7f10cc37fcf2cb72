import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { pipeline } from "node:stream";

import { expect } from "chai";

import { type ClusterState, findCluster } from "../../../cli/cluster/cluster";
import { proxyFor } from "../../../cli/cluster/proxy";
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

  it("is looked for in all files of a kubeconfig, but for those that are empty; one that cannot be read is named", async () => {
    kubeconfig(pointingTo("http://127.0.0.1:1"));
    const whole = process.env["KUBECONFIG"] ?? "";
    const [empty, comment, broken] = ["empty", "comment", "broken"].map((name) => path.join(folder, name));
    writeFileSync(empty ?? "", "");
    writeFileSync(comment ?? "", "# to come\n---\n");
    writeFileSync(broken ?? "", "{");
    const found = async (...files: (string | undefined)[]) => {
      process.env["KUBECONFIG"] = files.join(path.delimiter);
      return findCluster();
    };
    for (const order of [
      [whole, empty, comment],
      [empty, comment, whole],
    ])
      expect(await found(...order)).to.include({ state: "silent", context: "test" });
    expect(reasonOf(await found(empty, comment))).to.equal("no kubeconfig names one");
    expect(reasonOf(await found(whole, broken))).to.contain(`the kubeconfig cannot be read: ${broken}: `);
    expect(reasonOf(await found(whole, folder))).to.contain(
      `${folder} cannot be read: it is a folder, and a file is needed (EISDIR)`,
    );
  });

  it("is silent where the program is missing that gives the credentials, which is named with its hint", async () => {
    const exec =
      "{apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin, installHint: Get it}";
    kubeconfig(pointingTo(server.url).replace("token: secret", `exec: ${exec}`));
    expect(reasonOf(await findCluster())).to.equal(
      "its credentials come from a program that is not here, no-such-plugin: install it (Get it)",
    );
  });

  it("is asked by the proxy that the environment names, unless it is left out there", async () => {
    const asked: string[] = [];
    const proxy = createServer().on("connect", (request, socket) => {
      asked.push(request.url ?? "");
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      const tunnel = connect(Number(new URL(server.url).port), "127.0.0.1");
      pipeline(socket, tunnel, socket, () => undefined);
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const { port } = proxy.address() as AddressInfo;
    kubeconfig(pointingTo("http://api.example.com:6443"));
    Object.assign(process.env, { HTTP_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: "" });
    try {
      expect(await findCluster()).to.include({ state: "answers", version: "v1.34.4" });
      expect(asked).to.deep.equal(["api.example.com:6443"]);
    } finally {
      delete process.env["HTTP_PROXY"];
      delete process.env["NO_PROXY"];
      proxy.close();
    }
  });

  it("is asked without a proxy where kubectl does so, too", () => {
    const ask = (address: string, without: string) =>
      proxyFor(address, { HTTPS_PROXY: "proxy:3128", NO_PROXY: without }) ?? "none";
    for (const [address, without] of [
      ["https://127.0.0.1:6443", ""],
      ["https://localhost:6443", ""],
      ["https://[::1]:6443", ""],
      ["http://api.example.com", ""],
      ["https://api.example.com", "*"],
      ["https://api.example.com", "other, example.com"],
      ["https://example.com", "example.com"],
      ["https://api.example.com", ".example.com"],
      ["https://api.example.com", "*.example.com"],
      ["https://API.example.com:6443", "api.example.com:6443"],
      ["https://10.1.2.3:6443", "10.0.0.0/8"],
      ["https://10.1.2.3:6443", "10.1.2.3"],
      ["https://[fd00::1]:6443", "fd00::/8"],
      ["https://[fd00::1]:6443", "fd00::1"],
    ] as const)
      expect(ask(address, without), `${address} ${without}`).to.equal("none");
    for (const [address, without] of [
      ["https://api.example.com", ""],
      ["https://example.com", ".example.com"],
      ["https://anexample.com", "example.com"],
      ["https://api.example.com", "api.example.com:6443"],
      ["https://11.1.2.3", "10.0.0.0/8, 10.0.0.0/99, fd00::/8"],
    ] as const)
      expect(ask(address, without), `${address} ${without}`).to.equal("http://proxy:3128");
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
