import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import { Parts } from "../../cli/deploy/parts";
import { counted } from "../../cli/deploy/changes";
import { DeploymentView } from "../../cli/deploy/view";
import type { Engine } from "../../cli/engine/engine";
import { locksOf } from "../../cli/engine/locks";
import { type Changes, EngineFailed, EngineStack, type RunOptions } from "../../cli/engine/stack";
import { projectDir } from "../../cli/paths";
import { rewriteLock } from "../../cli/registry/lockFile";
import { lockFile } from "../../config/lock";
import { type Plan, planOf } from "../../cli/plan/plan";
import { isProvider } from "../../cli/plan/recording";
import { Progress } from "../../cli/progress";
import { Behaviour } from "../standins/behaviour";
import { MemoryCluster } from "../standins/cluster";
import { Timeline } from "../standins/timeline";
import { Variables, isolated, temporaryFolder } from "../unit/engine/support";
import { decisionOn } from "../unit/support/decision";
import { outputOf } from "../unit/support/output";
import { rejection } from "../unit/support/rejection";
import { Providers } from "./support/providers";
import { setting } from "./support/setting";

const never = new AbortController().signal;

describe("a stack, and the engine that changes it", function () {
  this.timeout(120_000);
  const variables = new Variables();
  const home = temporaryFolder();
  const cluster = new MemoryCluster(new Behaviour());
  const timeline = new Timeline(cluster.behaviour);
  const providers = new Providers(() => ({ cluster, timeline }));
  const plans = new Map<string, Plan>();
  let engine: Engine;

  before(async () => {
    for (const stack of ["dev", "staging"]) plans.set(stack, await planOf(stack));
    const { engineRoot } = await setting();
    engine = { file: path.join(engineRoot, "bin", "pulumi"), version: "", origin: "own" };
    variables.set({ ...isolated(home), PULUMI_DEBUG_PROVIDERS: await providers.running() });
    rewriteLock(lockFile("dev", "dev"), "dev", () => ({
      "models:/house-price@champion": decisionOn(1, "sklearn-skops"),
    }));
  });
  after(async () => {
    variables.restore();
    await providers.kill();
    rmSync(home, { recursive: true, force: true });
  });

  const open = (stack: string) => EngineStack.open(stack, engine, { context: `the-${stack}`, prebuilt: {} });
  const plan = (stack: string) => {
    const { recording } = plans.get(stack) ?? {};
    if (recording === undefined) throw new Error(`no plan of ${stack}`);
    return recording.resources;
  };
  /** Runs the engine. @returns what came of it, and what was shown of the parts: `MLflow: done, 1 updated`. */
  const run = async (stack: EngineStack, start: (options: RunOptions) => Promise<Changes>) => {
    const view = new DeploymentView(new Progress("json"), plan(stack.name));
    const { out, result } = await outputOf(async () => {
      const onEvent: RunOptions["onEvent"] = (event) => {
        view.onEvent(event);
      };
      const ended = await start({ signal: never, onEvent }).catch((error: unknown) => error as Error);
      view.close(ended instanceof Error ? ended : undefined);
      await new Promise(setImmediate);
      return ended;
    });
    const shown = out
      .trim()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, string>)
      .filter(({ event, state }) => event === "step" && state !== "running")
      .map(({ step = "", state = "", detail = "" }) => `${step}: ${state}, ${detail}`)
      .sort();
    return { result, shown };
  };
  const countOf = async (stack: EngineStack) => counted((await stack.state()).resources ?? []);
  const urnsOf = async (stack: EngineStack) =>
    ((await stack.state()).resources ?? []).map(({ urn }) => urn).sort();
  /** Files below a folder, from there; none if there is no such folder. */
  const files = (folder: string) =>
    existsSync(folder)
      ? readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
      : [];
  const ownFile = path.join(projectDir, "Pulumi.dev.yaml");
  const asWritten = readFileSync(ownFile, "utf8");
  const backend = path.join(home, "mlplatform", "state");

  describe("of dev", () => {
    let dev: EngineStack;
    const names = () => plan("dev").filter((resource) => !isProvider(resource));

    it("is made in the project's own backend, with its file as it was, and is not selected", async () => {
      dev = await open("dev");
      expect(dev.name).to.equal("dev");
      expect(dev.backend.own).to.equal(true);
      expect(files(path.join(backend, ".pulumi", "stacks"))).to.include(path.join("mlplatform", "dev.json"));
      expect(await urnsOf(dev)).to.deep.equal([]);
      expect(readFileSync(ownFile, "utf8")).to.equal(asWritten);
      expect(files(path.join(home, "pulumi", "workspaces"))).to.deep.equal([]);
    });

    it("comes to a good end when it is told to stop, with what is under way", async () => {
      const controller = new AbortController();
      const reason = new Error("told to stop");
      let asked = Number.POSITIVE_INFINITY;
      cluster.behaviour.add({ on: /^install Release /, latency: 1_500 });
      timeline.listener = ({ verb, label }, moment) => {
        if (verb !== "create" || moment !== "began" || !label.startsWith("Release postgres/")) return;
        asked = Date.now();
        controller.abort(reason);
      };
      const { result } = await run(dev, (options) => dev.up({ ...options, signal: controller.signal }));
      timeline.listener = undefined;
      cluster.behaviour.clear();
      expect(result).to.equal(reason);
      expect(Date.now() - asked).to.be.within(1_000, 15_000);
      const { resources = [], pending_operations: pending = [] } = await dev.state();
      const releases = resources.filter(({ type }) => type === "kubernetes:helm.sh/v3:Release");
      expect(releases.map(({ id }) => id)).to.include("postgres/postgresql");
      expect(releases.map(({ id }) => id)).to.not.include("mlflow/mlflow");
      expect(pending).to.deep.equal([]);
      expect(locksOf("dev", { backendUrl: dev.backend.url, project: "mlplatform" })).to.deep.equal([]);
    });

    it("says once what has failed, by resource", async () => {
      cluster.behaviour.add({ on: /^install Release mlflow/, fail: "pod mlflow-0 crashes", times: 1 });
      const { result, shown } = await run(dev, (options) => dev.up(options));
      const said =
        'Helm release "mlflow/mlflow" was created, but failed to initialize completely. Use Helm CLI to investigate: ' +
        "failed to become available within allocated timeout. Error: Helm Release mlflow/mlflow: pod mlflow-0 crashes";
      expect(result).to.be.instanceOf(EngineFailed);
      expect((result as Error).message).to.equal(`mlplatform-tracking-release: ${said}`);
      expect(shown).to.include(`MLflow: failed, ${said}`);
      expect(shown.filter((line) => line.includes(": failed, "))).to.have.length(1);
    });

    it("goes on from there, and then has all that the program says", async () => {
      const { result, shown } = await run(dev, (options) => dev.up(options));
      const { create = 0, same = 0, ...others } = result as Changes;
      expect(others).to.deep.equal({ update: 1 });
      expect(shown).to.include.members(["MLflow: done, 1 updated", "training house-price: done, 1 created"]);
      // A slow engine had not begun with all of the others when MLflow failed.
      for (const line of shown) expect(line).to.match(/: done, (1 updated|\d+ created)$/);
      const urns = await urnsOf(dev);
      expect(create + same + 1).to.equal(await countOf(dev));
      expect(urns).to.include.members(names().map(({ urn }) => urn));
      const beside = urns.filter((urn) => !names().some((resource) => resource.urn === urn));
      expect(beside.map((urn) => urn.split("::").slice(2).join(" "))).to.deep.equal([
        "pulumi:providers:docker default_5_2_0",
        "pulumi:providers:kubernetes cluster",
        "pulumi:providers:random default_4_21_2",
        "pulumi:pulumi:Stack mlplatform-dev",
      ]);
    });

    it("has nothing to change in an up after that, and shows nothing", async () => {
      const before = cluster.inventory();
      const { result, shown } = await run(dev, (options) => dev.up(options));
      expect(result).to.deep.equal({ same: await countOf(dev) });
      expect(shown).to.deep.equal([]);
      expect(cluster.inventory()).to.deep.equal(before);
    });

    for (const action of ["refresh", "preview"] as const)
      it(`has nothing to change in a ${action} either`, async () => {
        const before = cluster.inventory();
        expect(await dev[action]({ signal: never })).to.deep.equal({ same: await countOf(dev) });
        expect(cluster.inventory()).to.deep.equal(before);
      });

    const isImage = (urn: string) => urn.includes("docker:index/image:Image::");

    it("is previewed without a Docker daemon, if its images are left out", async () => {
      const exclude = (await urnsOf(dev)).filter(isImage);
      cluster.daemon = false;
      const seen = await dev.preview({ signal: never, refresh: true, exclude });
      const failed = await rejection(dev.preview({ signal: never, refresh: true }));
      cluster.daemon = true;
      expect(seen).to.deep.equal({ same: await countOf(dev) });
      expect(failed.message).to.contain("failed to connect to any docker daemon");
    });

    it("builds an image again, and changes nothing that runs it", async () => {
      const [image = ""] = (await urnsOf(dev)).filter(isImage);
      const { result } = await run(dev, (options) => dev.up({ ...options, replace: [image] }));
      expect(result).to.deep.equal({ replace: 1, same: (await countOf(dev)) - 1 });
    });

    it("is removed", async () => {
      const count = await countOf(dev);
      const { result, shown } = await run(dev, (options) =>
        dev.destroy({ ...options, keepProtected: false }),
      );
      expect(result).to.deep.equal({ delete: count });
      for (const line of shown) expect(line).to.match(/^[^:]+: done, \d+ removed$/);
      expect(shown).to.have.length(new Set(shown.map((line) => line.split(":")[0])).size);
      expect(await urnsOf(dev)).to.deep.equal([]);
      const left = cluster.inventory().filter((line) => !line.startsWith("CustomResourceDefinition "));
      expect(left).to.deep.equal([]);
    });

    it("is forgotten without a trace in the backend, but for its own file", async () => {
      await dev.forget();
      const left = existsSync(ownFile) ? readFileSync(ownFile, "utf8") : "nothing";
      if (left !== asWritten) writeFileSync(ownFile, asWritten);
      expect(left, "the stack's own file").to.equal(asWritten);
      expect(files(backend).filter((file) => file.includes("dev"))).to.deep.equal([]);
      expect(files(backend)).to.include(path.join(".pulumi", "meta.yaml"));
    });
  });

  describe("of staging", () => {
    it("is removed but for what is protected, and all of it when that is not any more", async () => {
      const staging = await open("staging");
      const up = await run(staging, (options) => staging.up(options));
      expect(Object.keys(up.result as Changes)).to.deep.equal(["create"]);
      const { resources = [] } = await staging.state();
      const kept = resources.filter(({ protect }) => protect === true).map(({ urn }) => urn);
      expect(kept.map((urn) => urn.split("::").at(-1))).to.include.members([
        "mlplatform-database-release",
        "mlplatform-database-password",
        "mlplatform-namespaces-postgres",
      ]);
      const { result } = await run(staging, (options) =>
        staging.destroy({ ...options, keepProtected: true }),
      );
      expect(Object.keys(result as Changes)).to.have.members(["delete", "same"]);
      const left = await urnsOf(staging);
      expect(left).to.include.members(kept);
      // What the protected parts need stays with them.
      const parts = new Parts(plan("staging"));
      const titles = new Set(left.map((urn) => parts.of(urn)?.title));
      expect([...titles].sort()).to.deep.equal(["MinIO", "Postgres", "namespaces", undefined]);
      const inventory = cluster.inventory();
      expect(inventory).to.include.members(["Release postgres/postgresql deployed", "Namespace postgres"]);
      const gone = / (mlflow|seldon-system|ml-models|fe)(\/|$)/;
      expect(inventory.filter((line) => gone.test(line))).to.deep.equal([]);
      expect((await rejection(staging.forget())).message).to.contain("still has resources");
      await staging.unprotect();
      expect(
        (await run(staging, (options) => staging.destroy({ ...options, keepProtected: false }))).result,
      ).to.deep.equal({ delete: counted(left.map((urn) => ({ urn }))) });
    });

    it("is forgotten with all that it has, where its cluster is gone", async () => {
      // A removal leaves these to the command, which removes them last.
      for (const name of ["postgres", "minio-system"])
        await cluster.remove({ apiVersion: "v1", kind: "Namespace", namespace: "", name });
      const staging = await open("staging");
      await run(staging, (options) => staging.up(options));
      await staging.forget({ resources: true });
      expect(files(backend).filter((file) => file.includes("staging"))).to.deep.equal([]);
      expect(cluster.inventory()).to.include("Release postgres/postgresql deployed");
    });
  });
});
