import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { type Context, contextOf, readKubeconfig } from "../../../cli/cluster/kubeconfig";
import { down } from "../../../cli/commands/down";
import { forgetContext, keepContext } from "../../../cli/engine/settings";
import { chooseTarget, clusterTarget } from "../../../cli/target";
import { rejection } from "../support/rejection";
import { type TestServer, serveHttp } from "../support/servers";

const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-target-"));
const changed = [
  "KUBECONFIG",
  "MLPLATFORM_HOME",
  "MINIKUBE_HOME",
  "KUBERNETES_SERVICE_HOST",
  "HOME",
] as const;
const before = changed.map((name) => [name, process.env[name]] as const);

/** A context of a test's kubeconfig; its cluster has the same name unless said otherwise. */
interface Entry {
  readonly cluster?: string;
  readonly server: string;
}

function writeKubeconfig(current: string, entries: Readonly<Record<string, Entry>>): void {
  const named = Object.entries(entries).map(([name, { cluster = name, server }]) => ({
    name,
    cluster,
    server,
  }));
  const file = path.join(mkdtempSync(path.join(folder, "kube-")), "config");
  writeFileSync(
    file,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": current,
      clusters: named.map(({ cluster, server }) => ({
        name: cluster,
        cluster: { server, "insecure-skip-tls-verify": true },
      })),
      users: [{ name: "me", user: { token: "secret" } }],
      contexts: named.map(({ name, cluster }) => ({ name, context: { cluster, user: "me" } })),
    }),
  );
  process.env["KUBECONFIG"] = file;
}

function restore(): void {
  for (const [name, value] of before)
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
}

function isolate(): void {
  process.env["MLPLATFORM_HOME"] = mkdtempSync(path.join(folder, "home-"));
  process.env["MINIKUBE_HOME"] = path.join(folder, ".minikube");
  delete process.env["KUBERNETES_SERVICE_HOST"];
}

describe("the kubeconfig", function () {
  // The Kubernetes client takes seconds to load the first time.
  this.timeout(60_000);
  beforeEach(isolate);
  afterEach(restore);

  const kindOf = (name: string, cluster: string, server = "https://127.0.0.1:6443") => {
    const { kind, profile } = contextOf(name, cluster, server);
    return `${kind} ${profile}`;
  };

  it("tells who runs a cluster by the names that each tool gives", () => {
    expect(kindOf("minikube", "minikube", "https://192.168.49.2:8443")).to.equal("minikube minikube");
    expect(kindOf("kind-mlplatform", "kind-mlplatform")).to.equal("kind mlplatform");
    expect(kindOf("renamed", "k3d-lab", "https://0.0.0.0:41000")).to.equal("k3d lab");
    expect(kindOf("docker-desktop", "docker-desktop", "https://kubernetes.docker.internal:6443")).to.equal(
      "docker-desktop docker-desktop",
    );
    expect(kindOf("orbstack", "orbstack")).to.equal("orbstack orbstack");
    expect(kindOf("rancher-desktop", "rancher-desktop")).to.equal("rancher-desktop rancher-desktop");
    expect(kindOf("testbed", "testbed")).to.equal("remote testbed");
    mkdirSync(path.join(folder, ".minikube", "profiles", "lab"), { recursive: true });
    expect(kindOf("lab", "lab")).to.equal("minikube lab");
    process.env["MINIKUBE_HOME"] = folder;
    expect(kindOf("lab", "lab")).to.equal("minikube lab");
  });

  it("takes no cluster for local whose address is elsewhere, or no address", () => {
    for (const server of [
      "https://prod.example.com",
      "https://34.1.2.3:6443",
      "https://172.32.0.1",
      "nonsense",
    ])
      expect(kindOf("minikube", "minikube", server), server).to.equal("remote minikube");
    for (const server of [
      "https://[::1]:6443",
      "https://10.0.0.5",
      "https://172.31.0.1",
      "https://192.168.5.15",
    ])
      expect(kindOf("minikube", "minikube", server), server).to.equal("minikube minikube");
  });

  it("is the one that kubectl would read", async () => {
    process.env["HOME"] = mkdtempSync(path.join(folder, "user-"));
    delete process.env["KUBECONFIG"];
    expect(await readKubeconfig()).to.deep.equal({ reason: "no kubeconfig names one" });
    writeKubeconfig("kind-a", { "kind-a": { server: "https://127.0.0.1:1" } });
    const first = process.env["KUBECONFIG"] ?? "";
    writeKubeconfig("kind-b", { "kind-b": { server: "https://127.0.0.1:2" } });
    const missing = path.join(folder, "missing");
    process.env["KUBECONFIG"] = [missing, first, process.env["KUBECONFIG"]].join(path.delimiter);
    const both = await readKubeconfig();
    if ("reason" in both) throw new Error(both.reason);
    expect(both.contexts.map(({ name }) => name)).to.deep.equal(["kind-a", "kind-b"]);
    expect(both.current?.name).to.equal("kind-a");
    expect(both.raw.getUsers().map(({ name }) => name)).to.deep.equal(["me"]);
  });

  it("is that of the home folder where the variable is empty", async () => {
    process.env["HOME"] = mkdtempSync(path.join(folder, "user-"));
    mkdirSync(path.join(process.env["HOME"], ".kube"));
    writeFileSync(
      path.join(process.env["HOME"], ".kube", "config"),
      "{apiVersion: v1, kind: Config, current-context: gone}",
    );
    process.env["KUBECONFIG"] = "";
    const found = await readKubeconfig();
    if ("reason" in found) throw new Error(found.reason);
    expect([found.contexts, found.current, found.raw.getCurrentContext()]).to.deep.equal([
      [],
      undefined,
      "gone",
    ]);
  });
});

describe("the target", function () {
  this.timeout(60_000);
  let server: TestServer;
  const nobody = "http://127.0.0.1:1";

  beforeEach(async () => {
    isolate();
    server = await serveHttp((_, response) => response.end('{"gitVersion": "v1.34.4"}'));
  });
  afterEach(async () => {
    restore();
    await server.close();
  });

  const chosen = async (options: Parameters<typeof chooseTarget>[0] = {}) => {
    const target = await chooseTarget(options);
    if (target.kind === "local") return { local: target.reason };
    const { stack, context, cluster, version, reason } = target;
    expect([cluster.context, version]).to.deep.equal([context.name, "v1.34.4"]);
    return { stack, context: context.name, kind: context.kind, reason };
  };
  const refused = async (options: Parameters<typeof chooseTarget>[0]) =>
    (await rejection(chooseTarget(options))).message;

  it("is this machine where that is asked for", async () => {
    writeKubeconfig("minikube", { minikube: { server: server.url } });
    expect(await chosen({ target: "local" })).to.deep.equal({ local: "asked for" });
    const stack = await rejection(chosen({ target: "local", stack: "dev", context: "kind" }));
    expect(stack.message).to.contain("leave --stack and --context out, or --target local");
    expect((await rejection(down({ target: "local", stack: "dev" }))).message).to.contain(
      "leave --stack out",
    );
  });

  it("is the context that the stack names", async () => {
    writeKubeconfig("kind-other", {
      minikube: { server: server.url },
      "kind-other": { server: server.url },
    });
    expect(await chosen()).to.deep.equal({
      stack: "dev",
      context: "minikube",
      kind: "minikube",
      reason: "stack dev names it",
    });
  });

  const locals: Readonly<Record<string, Context["kind"]>> = {
    "kind-lab": "kind",
    "k3d-lab": "k3d",
    "docker-desktop": "docker-desktop",
    orbstack: "orbstack",
    "rancher-desktop": "rancher-desktop",
  };
  for (const [name, kind] of Object.entries(locals))
    it(`is the current context, for dev, if it is one of ${kind}`, async () => {
      writeKubeconfig(name, { [name]: { server: server.url } });
      expect(await chosen()).to.deep.equal({
        stack: "dev",
        context: name,
        kind,
        reason: "the current context, since the kubeconfig has no context minikube, which stack dev names",
      });
    });

  it("is a remote one by its name alone", async () => {
    writeKubeconfig("prod-eu", { "prod-eu": { server: server.url } });
    const refusal =
      "the kubeconfig has no context minikube, which stack dev names, and the current one, prod-eu, is a remote " +
      "cluster that nobody has named";
    expect(await chosen()).to.deep.equal({ local: refusal });
    expect(await refused({ target: "cluster" })).to.equal(
      `stack dev cannot be reached: ${refusal}. Name the one that is meant: --context NAME`,
    );
    expect(await chosen({ context: "prod-eu" })).to.deep.equal({
      stack: "dev",
      context: "prod-eu",
      kind: "remote",
      reason: "asked for",
    });
  });

  it("is the stack's own, and no other, for staging", async () => {
    writeKubeconfig("kind-lab", { "kind-lab": { server: server.url } });
    expect(await refused({ stack: "staging" })).to.equal(
      "stack staging cannot be reached: the kubeconfig has no context staging, which stack staging names. " +
        "Name the one that is meant: --context NAME",
    );
    writeKubeconfig("kind-lab", { "kind-lab": { server: server.url }, staging: { server: server.url } });
    expect(await chosen({ stack: "staging" })).to.deep.equal({
      stack: "staging",
      context: "staging",
      kind: "remote",
      reason: "stack staging names it",
    });
  });

  it("is no context that is not there", async () => {
    writeKubeconfig("kind-lab", { "kind-lab": { server: server.url }, lab: { server: server.url } });
    expect(await refused({ context: "prod" })).to.equal(
      "--context: the kubeconfig has no context prod. It has: kind-lab, lab.",
    );
    writeKubeconfig("gone", {});
    expect(await refused({ context: "prod" })).to.equal(
      "--context: the kubeconfig has no context prod. It has: none.",
    );
    expect(await chosen()).to.deep.equal({
      local:
        'the kubeconfig has no context minikube, which stack dev names, and its current context, "gone", names none',
    });
  });

  it("is where the stack is deployed", async () => {
    writeKubeconfig("minikube", { minikube: { server: server.url }, "kind-lab": { server: server.url } });
    keepContext("dev", "kind-lab");
    const there = { stack: "dev", context: "kind-lab", kind: "kind", reason: "stack dev is deployed there" };
    expect(await chosen()).to.deep.equal(there);
    expect(await chosen({ context: "kind-lab" })).to.deep.equal({ ...there, reason: "asked for" });
    expect(await refused({ context: "minikube" })).to.equal(
      "stack dev is deployed to context kind-lab, not minikube. A stack has one cluster: remove it there first " +
        "(npm run down -- --stack dev), or give minikube a stack of its own, Pulumi.NAME.yaml.",
    );
    writeKubeconfig("minikube", { minikube: { server: server.url } });
    expect(await refused({})).to.equal(
      "stack dev cannot be reached: the kubeconfig has no context kind-lab, which stack dev names. " +
        "Name the one that is meant: --context NAME. If its cluster is gone for good: npm run down -- --forget",
    );
    forgetContext("dev");
    expect(await chosen()).to.include({ context: "minikube" });
  });

  it("is this machine where the cluster is silent, unless it was named or has the stack", async () => {
    writeKubeconfig("minikube", { minikube: { server: nobody }, "k3d-lab": { server: nobody } });
    const silent = (name: string) =>
      `the cluster of context ${name} does not answer (connect ECONNREFUSED 127.0.0.1:1)`;
    expect(await chosen()).to.deep.equal({ local: silent("minikube") });
    expect(await refused({ target: "cluster" })).to.equal(
      `stack dev cannot be reached: ${silent("minikube")}. Start it (minikube start), or name another context: ` +
        "--context NAME",
    );
    expect(await refused({ context: "k3d-lab" })).to.contain(
      "Start it (k3d cluster start lab), or name another",
    );
    keepContext("dev", "minikube");
    expect(await refused({})).to.contain(silent("minikube"));
  });

  it("says how each kind of cluster is started", async () => {
    mkdirSync(path.join(folder, ".minikube", "profiles", "two"), { recursive: true });
    const started = async (name: string) => {
      writeKubeconfig(name, { [name]: { server: nobody } });
      return /Start it(.*), or name/.exec(await refused({ context: name }))?.[1];
    };
    expect(await started("two")).to.equal(" (minikube start -p two)");
    expect(await started("orbstack")).to.equal(" (orb start k8s)");
    expect(await started("kind-lab")).to.equal("");
  });

  it("is this machine without a kubeconfig, and an error where a cluster is wanted", async () => {
    process.env["KUBECONFIG"] = path.join(folder, "missing");
    expect(await chosen()).to.deep.equal({
      local: "there is no Kubernetes cluster (no kubeconfig names one)",
    });
    expect((await rejection(clusterTarget({}))).message).to.equal(
      "stack dev cannot be reached: there is no Kubernetes cluster (no kubeconfig names one). " +
        "Start one, such as: minikube start",
    );
    expect(await refused({ stack: "prod" })).to.equal(
      "stack prod cannot be reached: there is no Kubernetes cluster (no kubeconfig names one). " +
        "Start one, such as: minikube start",
    );
  });

  it("is this machine where the kubeconfig is broken, with the reason", async () => {
    process.env["KUBECONFIG"] = path.join(folder, "broken");
    writeFileSync(process.env["KUBECONFIG"], "{");
    const target = await chooseTarget({});
    expect(target.kind).to.equal("local");
    expect(target.reason).to.match(/^there is no Kubernetes cluster \(the kubeconfig cannot be read: .+\)$/);
  });

  it("is one cluster for commands that need one", async () => {
    writeKubeconfig("minikube", { minikube: { server: server.url } });
    expect((await clusterTarget({})).context.name).to.equal("minikube");
  });

  it("is of a stack that has a file", async () => {
    expect(await refused({ stack: "nowhere" })).to.equal(
      'there is no stack "nowhere": Pulumi.nowhere.yaml does not exist. There are dev, graphs, prod, staging, wine.',
    );
  });
});
