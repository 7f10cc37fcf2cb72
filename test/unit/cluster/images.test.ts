import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import type { Cluster } from "../../../cli/cluster/cluster";
import { appImageBuilds, imageRoute, prepareImages, useBuilder } from "../../../cli/cluster/images";
import { lostImages, unaskedImages } from "../../../cli/cluster/daemonImages";
import type { ClusterKind } from "../../../cli/cluster/kubeconfig";
import type { LiveNode } from "../../../cli/cluster/nodes";
import { projectDir } from "../../../cli/paths";
import { recordStack } from "../../../cli/plan/plan";
import type { Recording } from "../../../cli/plan/recording";
import type { ClusterTarget } from "../../../cli/target";
import { FakeTools } from "../support/fakeTools";
import { rejection } from "../support/rejection";
import { node } from "./nodes";

const never = new AbortController().signal;
const python =
  "docker.io/library/python:3.12.12-slim-bookworm@sha256:593bd06efe90efa80dc4eee3948be7c0fde4134606dd40d8dd8dbcade98e669c";
const docker = "docker://28.0.4";

describe("the project's own images", function () {
  this.timeout(30_000);
  const environment = { home: process.env["MLPLATFORM_HOME"], docker: process.env["DOCKER_HOST"] };
  let dev: Recording;
  let prod: Recording;
  let tools: FakeTools;
  let said: string[];
  let page: string;
  let serve: string;
  let train: string;

  before(async () => {
    [dev, prod] = [await recordStack("dev"), await recordStack("prod")];
    [page = "", serve = "", train = ""] = appImageBuilds(dev).map(({ reference }) => reference);
  });
  beforeEach(() => {
    tools = new FakeTools();
    said = [];
    process.env["MLPLATFORM_HOME"] = mkdtempSync(path.join(tmpdir(), "mlplatform-images-"));
    delete process.env["DOCKER_HOST"];
  });
  afterEach(() => {
    tools.dispose();
    for (const [key, value] of Object.entries({
      MLPLATFORM_HOME: environment.home,
      DOCKER_HOST: environment.docker,
    })) {
      if (value === undefined) Reflect.deleteProperty(process.env, key);
      else process.env[key] = value;
    }
  });

  const prepare = (kind: ClusterKind, nodes: readonly LiveNode[], recording = dev, signal = never) => {
    const cluster = { list: () => Promise.resolve(nodes) } as unknown as Cluster;
    const context = { name: `the-${kind}`, kind, profile: "lab", server: "https://127.0.0.1:6443" };
    const target: ClusterTarget = {
      kind: "cluster",
      stack: "dev",
      context,
      cluster,
      version: "v1.34.0",
      reason: "",
    };
    const step = {
      detail: (text: string) => {
        said.push(text);
      },
    };
    return prepareImages(target, { recording }, step, signal);
  };
  const build = (folder: string, reference: string) =>
    `docker build --tag ${reference} --file ${projectDir}/ml-app/${folder}/Dockerfile ` +
    `--build-arg PYTHON_IMAGE=${python} --network default ${projectDir}/ml-app`;
  const inspect = (reference: string) => `docker image inspect --format {{.Id}} ${reference}`;

  it("are those that the program builds, under the names that it gives them", () => {
    const [, first, ...others] = appImageBuilds(dev);
    expect(first).to.deep.equal({
      urn: dev.resources.find(({ inputs }) => inputs["imageName"] === serve)?.urn,
      name: "house-price-serve",
      reference: serve,
      context: "ml-app",
      dockerfile: "ml-app/house_price/serve/Dockerfile",
      args: { PYTHON_IMAGE: python },
      platform: undefined,
      network: "default",
      pushed: false,
    });
    expect(others.map(({ name }) => name)).to.deep.equal(["house-price-train"]);
    expect(serve).to.match(/^localhost\/mlplatform\/house-price-serve:[0-9a-f]{12}$/);
    expect(appImageBuilds(prod).map(({ pushed }) => pushed)).to.deep.equal([true, true]);
  });

  it("take a way that fits who runs the cluster, and what its nodes run", () => {
    const builds = appImageBuilds(dev);
    const route = (kind: ClusterKind, ...nodes: LiveNode[]) => imageRoute(builds, { kind }, nodes);
    expect(route("docker-desktop", node())).to.equal("here");
    expect(route("orbstack", node({ runtime: docker }))).to.equal("here");
    expect(route("rancher-desktop", node({ runtime: docker }))).to.equal("here");
    expect(route("rancher-desktop", node())).to.equal("unreachable");
    expect(route("minikube", node({ runtime: docker }))).to.equal("minikube");
    expect(route("minikube", node({ runtime: docker }), node({ runtime: docker }))).to.equal("load");
    expect(route("minikube", node())).to.equal("load");
    expect(route("kind", node())).to.equal("load");
    expect(route("k3d", node())).to.equal("load");
    expect(route("remote", node())).to.equal("unreachable");
    expect(imageRoute(appImageBuilds(prod), { kind: "remote" }, [])).to.equal("here");
    expect(imageRoute([], { kind: "remote" }, [])).to.equal("none");
  });

  it("are gone where the daemon that answers has not got what the stack has built", async () => {
    const builds = appImageBuilds(dev);
    const lost = async (state = builds.map(({ urn }) => urn), of = builds) =>
      (await lostImages(of, new Set(state), never)).map(({ reference }) => reference);
    tools.add("docker", `case "$*" in *${serve}) exit 1 ;; esac; echo linux/amd64`);
    expect(await lost()).to.deep.equal([serve]);
    expect(await lost([]), "never built").to.deep.equal([]);
    expect(
      await lost(
        appImageBuilds(prod).map(({ urn }) => urn),
        appImageBuilds(prod),
      ),
      "pushed",
    ).to.deep.equal([]);
    tools.add("docker", "exit 1");
    expect(await lost(), "by a daemon that is silent").to.deep.equal([]);
  });

  it("cannot be asked for where the daemon is silent", async () => {
    const [first, second] = appImageBuilds(dev);
    const unasked = () =>
      unaskedImages(
        [first, second].flatMap((one) => one ?? []),
        new Set([first?.urn ?? ""]),
        never,
      );
    tools.add("docker", "echo linux/amd64");
    expect(await unasked()).to.deep.equal([]);
    tools.add("docker", "exit 1");
    expect(await unasked(), "of those that were built").to.deep.equal([first?.urn]);
  });

  it("have every command's provider find the daemon, and stop none where there is none", async () => {
    const use = (kind: ClusterKind, resources = dev.resources) => {
      const cluster = { list: () => Promise.resolve([node({ runtime: docker })]) } as unknown as Cluster;
      return useBuilder(
        { cluster, context: { name: "it", kind, profile: "lab", server: "" } },
        resources,
        never,
      );
    };
    await use("minikube");
    expect(process.env["DOCKER_HOST"]).to.equal(undefined);
    tools.add("minikube", "echo DOCKER_HOST=tcp://192.168.49.2:2376");
    await use("minikube", []);
    expect(process.env["DOCKER_HOST"]).to.equal(undefined);
    await use("minikube");
    expect(process.env["DOCKER_HOST"]).to.equal("tcp://192.168.49.2:2376");
  });

  it("need nothing where all are built elsewhere", async () => {
    expect(await prepare("remote", [], { ...dev, resources: [] })).to.deep.equal({ env: {}, prebuilt: {} });
  });

  const asked = "docker version --format {{.Server.Os}}/{{.Server.Arch}}";
  /** A docker whose context leads to a daemon, which is one for arm64. */
  const daemonAt = (host: string) =>
    tools.add("docker", `case "$*" in version*) echo linux/arm64 ;; *) echo ${host} ;; esac`);

  it("are built by the program in Docker Desktop, or for a registry, with the daemon that docker uses", async () => {
    daemonAt("unix:///Users/me/.orbstack/run/docker.sock");
    const [daemonPlatform, prebuilt] = ["linux/arm64", {}];
    const env = { DOCKER_HOST: "unix:///Users/me/.orbstack/run/docker.sock" };
    expect(await prepare("docker-desktop", [node()])).to.deep.equal({ env, prebuilt, daemonPlatform });
    expect(await prepare("remote", [node()], prod)).to.deep.equal({ env, prebuilt, daemonPlatform });
    expect(tools.calls.slice(0, 2)).to.deep.equal([
      "docker context inspect --format {{.Endpoints.docker.Host}}",
      asked,
    ]);
    daemonAt("unix:///var/run/docker.sock");
    expect(await prepare("docker-desktop", [node()])).to.deep.equal({ env: {}, prebuilt, daemonPlatform });
    tools.add("docker", "exit 1");
    expect(await prepare("docker-desktop", [node()])).to.deep.equal({ env: {}, prebuilt });
  });

  it("leave a daemon that the user has named alone", async () => {
    daemonAt("unix:///elsewhere.sock");
    process.env["DOCKER_HOST"] = "tcp://10.0.0.1:2375";
    expect((await prepare("docker-desktop", [node()])).env).to.deep.equal({});
    expect(tools.calls).to.deep.equal([asked]);
  });

  it("are built by the program in minikube's daemon", async () => {
    tools.add(
      "minikube",
      "echo DOCKER_TLS_VERIFY=1; echo DOCKER_HOST=tcp://192.168.49.2:2376; " +
        `echo 'DOCKER_CERT_PATH="/home/a b/.minikube/certs"'; echo MINIKUBE_ACTIVE_DOCKERD=lab`,
    );
    // This machine's own daemon is of another platform.
    tools.add("docker", '[ -n "$DOCKER_HOST" ] && echo linux/arm64 || echo linux/amd64');
    expect(await prepare("minikube", [node({ runtime: docker })])).to.deep.equal({
      env: {
        DOCKER_TLS_VERIFY: "1",
        DOCKER_HOST: "tcp://192.168.49.2:2376",
        DOCKER_CERT_PATH: "/home/a b/.minikube/certs",
      },
      prebuilt: {},
      daemonPlatform: "linux/arm64",
    });
    expect(tools.calls).to.deep.equal(["minikube --profile lab docker-env --shell none", asked]);
  });

  const loads: Partial<Record<ClusterKind, (reference: string) => string>> = {
    kind: (reference) => `kind load docker-image ${reference} --name lab`,
    k3d: (reference) => `k3d image import ${reference} --cluster lab`,
    minikube: (reference) => `minikube --profile lab image load ${reference}`,
  };
  for (const [kind, load] of Object.entries(loads) as [ClusterKind, (reference: string) => string][])
    it(`are built here and loaded into ${kind}`, async () => {
      tools.add("docker", 'case "$*" in image*) exit 1 ;; esac').add(kind);
      const prepared = await prepare(kind, [node()]);
      expect(prepared).to.deep.equal({
        env: {},
        prebuilt: { frontend: page, "house-price-serve": serve, "house-price-train": train },
      });
      expect(tools.calls).to.deep.equal([
        inspect(page),
        build("frontend", page),
        load(page),
        inspect(serve),
        build("house_price/serve", serve),
        load(serve),
        inspect(train),
        build("house_price/train", train),
        load(train),
      ]);
      expect(said).to.deep.equal([
        "building frontend",
        `loading frontend into the-${kind}`,
        "building house-price-serve",
        `loading house-price-serve into the-${kind}`,
        "building house-price-train",
        `loading house-price-train into the-${kind}`,
      ]);
    });

  it("are neither built nor loaded again where they are", async () => {
    tools.add("docker").add("kind");
    await prepare("kind", [node({ images: [page, serve] }), node({ images: [page, serve, train] })]);
    expect(tools.calls).to.deep.equal([inspect(train), `kind load docker-image ${train} --name lab`]);
    const prepared = await prepare("kind", [node({ images: [page, serve, train] })]);
    expect(tools.calls).to.have.length(2);
    expect(prepared.prebuilt).to.deep.equal({
      ...{ frontend: page, "house-price-serve": serve, "house-price-train": train },
    });
  });

  it("that cannot be built, or loaded, say why", async () => {
    tools
      .add("docker", 'case "$*" in image*) exit 1 ;; esac; echo "ERROR: no space left on device" >&2; exit 1')
      .add("kind", "echo 'ERROR: no nodes found for cluster \"lab\"' >&2; exit 1");
    expect((await rejection(prepare("kind", [node()]))).message)
      .to.contain("docker build of frontend: it failed (exit code 1). Its last lines:\n")
      .and.contain("    ERROR: no space left on device\n");
    tools.add("docker");
    expect((await rejection(prepare("kind", [node()]))).message)
      .to.contain("kind, loading frontend: it failed (exit code 1). Its last lines:\n")
      .and.contain('    ERROR: no nodes found for cluster "lab"\n');
  });

  it("that have no way to the cluster say what to set", async () => {
    expect((await rejection(prepare("remote", [node()]))).message).to.equal(
      "frontend, house-price-serve and house-price-train would be built in this machine's Docker daemon, out of reach of " +
        "context the-remote. Name a registry to push to (images.registry), or the built images (images.prebuilt), " +
        "in Pulumi.dev.yaml.",
    );
    expect((await rejection(prepare("rancher-desktop", [node()]))).message).to.equal(
      "frontend, house-price-serve and house-price-train would be built by Docker, and Rancher Desktop runs containers with " +
        "containerd. Choose dockerd (moby) in Rancher Desktop: Preferences > Container Engine. Name a registry to " +
        "push to (images.registry), or the built images (images.prebuilt), in Pulumi.dev.yaml.",
    );
  });

  it("are given up when the command is told to stop", async () => {
    tools.add("docker").add("kind");
    const stopped = AbortSignal.abort(new Error("stopped"));
    expect((await rejection(prepare("kind", [node()], dev, stopped))).message).to.equal("stopped");
    expect(tools.calls).to.deep.equal([]);
  });
});
