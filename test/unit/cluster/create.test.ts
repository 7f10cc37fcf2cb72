import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { PassThrough } from "node:stream";

import { expect } from "chai";

import type { Terminal } from "../../../cli/ask";
import { clusterTools, createCluster, offerCluster } from "../../../cli/cluster/create";
import { FakeTools } from "../support/fakeTools";
import { rejection } from "../support/rejection";

const never = new AbortController().signal;

describe("creating a cluster", () => {
  const before = { home: process.env["MLPLATFORM_HOME"], ci: process.env["CI"] };
  let tools: FakeTools;
  let said: string[];
  const step = {
    detail: (text: string) => {
      said.push(text);
    },
  };

  beforeEach(() => {
    tools = new FakeTools();
    said = [];
    process.env["MLPLATFORM_HOME"] = mkdtempSync(path.join(tmpdir(), "mlplatform-create-"));
    delete process.env["CI"];
  });
  afterEach(() => {
    tools.dispose();
    if (before.home === undefined) delete process.env["MLPLATFORM_HOME"];
    else process.env["MLPLATFORM_HOME"] = before.home;
    if (before.ci !== undefined) process.env["CI"] = before.ci;
  });

  it("goes by the tools on the PATH: minikube first, kind only beside docker", () => {
    expect(clusterTools()).to.deep.equal([]);
    tools.add("kind");
    expect(clusterTools()).to.deep.equal([]);
    tools.add("docker").add("minikube");
    expect(clusterTools()).to.deep.equal(["minikube", "kind"]);
  });

  it("says where the tools are to be had, if there is none", async () => {
    expect((await rejection(createCluster(step, never))).message).to.equal(
      "no cluster can be created: neither minikube nor kind with docker is on the PATH. Install one of them: " +
        "https://minikube.sigs.k8s.io/docs/start/ or https://kind.sigs.k8s.io/docs/user/quick-start/",
    );
    tools.add("kind");
    expect((await rejection(createCluster(step, never, "kind"))).message).to.equal(
      "no cluster can be created with kind: it is not on the PATH, or docker is not. " +
        "Install it: https://kind.sigs.k8s.io/docs/user/quick-start/",
    );
    expect((await rejection(createCluster(step, never, "minikube"))).message).to.equal(
      "no cluster can be created with minikube: it is not on the PATH. " +
        "Install it: https://minikube.sigs.k8s.io/docs/start/",
    );
  });

  it("starts a minikube that the dev stack fits into", async () => {
    tools.add("minikube").add("kind").add("docker");
    expect(await createCluster(step, never)).to.equal("minikube");
    expect(tools.calls).to.deep.equal([
      "minikube start --profile=minikube --cpus=4 --memory=6g --wait=all --kubernetes-version=v1.34.0",
    ]);
    expect(said).to.deep.equal(["minikube creates a cluster; the first time takes minutes"]);
  });

  it("creates a cluster with kind where that is asked for, or all there is", async () => {
    tools.add("kind").add("docker");
    expect(await createCluster(step, never)).to.equal("kind-mlplatform");
    expect(tools.calls).to.deep.equal([
      "kind get clusters",
      "kind create cluster --name mlplatform --wait 5m",
    ]);
  });

  it("does not run kind into a cluster that it has already", async () => {
    tools.add("kind", "echo other; echo mlplatform").add("docker");
    expect((await rejection(createCluster(step, never, "kind"))).message).to.equal(
      "kind has a cluster mlplatform already, which does not answer or is not the current one. Use it (--context " +
        "kind-mlplatform), or delete it: kind delete cluster --name mlplatform",
    );
  });

  it("passes on what the tool says when it fails", async () => {
    tools.add("minikube", "echo 'X Exiting due to RSRC_INSUFFICIENT_CORES' >&2; exit 29");
    expect((await rejection(createCluster(step, never))).message)
      .to.contain("minikube: it failed (exit code 29). Its last lines:\n")
      .and.contain("X Exiting due to RSRC_INSUFFICIENT_CORES")
      .and.contain("create-minikube.log");
  });

  describe("is offered", () => {
    const terminal = (answer: string | undefined, isTTY = true) => {
      const input = Object.assign(new PassThrough(), { isTTY });
      const output = Object.assign(new PassThrough(), { isTTY });
      if (answer === undefined) input.end();
      else input.write(`${answer}\n`);
      return { input, output } satisfies Terminal;
    };

    it("on a terminal, and taken with a yes alone", async () => {
      tools.add("minikube");
      const asked = terminal("y");
      let shown = "";
      asked.output.on("data", (text) => (shown += String(text)));
      expect(await offerCluster(never, asked)).to.equal("minikube");
      expect(shown).to.contain(
        "No cluster is there to be used. Create one with 4 CPUs and 6 GiB, by minikube? [y/N] ",
      );
      expect(await offerCluster(never, terminal("Yes"))).to.equal("minikube");
      for (const answer of ["", "n", "yesterday", undefined])
        expect(await offerCluster(never, terminal(answer)), answer).to.equal(undefined);
      expect(tools.calls).to.deep.equal([]);
    });

    it("nowhere else, and not without a tool", async () => {
      expect(await offerCluster(never, terminal("y"))).to.equal(undefined);
      tools.add("minikube");
      expect(await offerCluster(never, terminal("y", false))).to.equal(undefined);
      process.env["CI"] = "true";
      expect(await offerCluster(never, terminal("y"))).to.equal(undefined);
    });

    it("until the command is told to stop", async () => {
      tools.add("minikube");
      const controller = new AbortController();
      const input = Object.assign(new PassThrough(), { isTTY: true });
      const output = Object.assign(new PassThrough(), { isTTY: true });
      const offered = rejection(offerCluster(controller.signal, { input, output }));
      controller.abort(new Error("stopped"));
      expect((await offered).message).to.equal("stopped");
    });
  });
});
