import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import * as path from "node:path";

import type { Cluster } from "../cluster/cluster";
import { lostImages } from "../cluster/daemonImages";
import { type PreparedImages, appImageBuilds, prepareImages } from "../cluster/images";
import { inCluster } from "../cluster/ownObjects";
import { keepPostgresVersion } from "../cluster/postgresVersion";
import { routingFindings } from "../cluster/routing";
import type { Consent } from "../consent";
import { chooseBackend } from "../engine/backend";
import { ownerOf } from "../engine/owner";
import type { Recovery } from "../engine/recover";
import { keepContext, keptContext } from "../engine/settings";
import { type Changes, EngineStack, type RunOptions } from "../engine/stack";
import { UserError } from "../errors";
import { homeDir, shown } from "../paths";
import { mlflowImage } from "../plan/images";
import { type Plan, planOf } from "../plan/plan";
import { preflight } from "../preflight/preflight";
import type { Progress } from "../progress";
import type { ClusterTarget } from "../target";
import { counted, told } from "./changes";
import { DeclaredObjects, declaredBy } from "./declared";
import { openEnvironments } from "./environments";
import { policyFindings } from "./policies";
import { prepareEngine, prepareProviders } from "./prepared";
import { refuse } from "./refusal";
import { agreeToRemovals, removalsOf } from "./removals";
import { restoreReleases } from "./restore";
import { checkStores } from "./stores";
import { verify } from "./verify";
import { computeAnswersAgain, trainAgain } from "./wholeness";
import { DeploymentView } from "./view";
import { type NetworkLook, behindFailure, watchDeployment } from "./watch";

/** How a stack is brought up. */
export interface DeployOptions {
  /** Whether stores outside are asked, and what was deleted or changed by hand is looked for and put back. */
  readonly refresh: boolean;
  /** What the user has agreed to lose. */
  readonly consent: Consent;
  /** Names of the rules that may be broken. @default none */
  readonly allow?: readonly string[] | undefined;
}

/** A stack in a cluster, brought up. */
export interface Deployed {
  readonly stack: EngineStack;
  readonly plan: Plan;
  readonly changes: Changes;
}

/**
 * Brings a stack up in a cluster: all that can be known to be wrong is found first, what an interrupted run has left
 * is settled, and while the engine works the cluster is asked why it takes time.
 *
 * @throws UserError nothing was changed, or what is there stays and the same command goes on from it.
 */
export async function deploy(
  target: ClusterTarget,
  { refresh, consent, allow = [] }: DeployOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<Deployed> {
  const { stack: name, context, cluster } = target;
  await openEnvironments(name, progress, signal);
  const [engine, plan] = await sideBySide(signal, (each) => [
    prepareEngine(progress, each),
    check(target, allow, progress, each),
  ]);
  if (refresh) await checkStores(target, plan, engine, progress, signal);
  const [{ env, prebuilt, daemonPlatform }] = await sideBySide(signal, (each) => [
    bringImages(target, plan, progress, each),
    prepareProviders(engine, plan.recording.resources, progress, each),
  ]);
  Object.assign(process.env, env);

  const { stack, compared } = await progress.step("state", async (step) => {
    const opened = await EngineStack.open(name, engine, { context: context.name, prebuilt, daemonPlatform });
    keepContext(name, context.name);
    const recovery = await opened.recover(inCluster(cluster), "up", step, plan.recording.resources);
    const where = opened.backend.own ? shown(path.join(homeDir(), "state")) : opened.backend.url;
    step.detail([where, ...recovered(recovery)].join("; "));
    return { stack: opened, compared: recovery.compared };
  });
  const { resources = [] } = await stack.state();
  const planned = new Set(plan.recording.resources.map(({ urn }) => urn));
  const removals = removalsOf(resources, planned);
  await agreeToRemovals(target, removals, consent, progress);
  await stack.unprotect(removals.resources.flatMap(({ urn, protect }) => (protect === true ? [urn] : [])));
  const lost = await lostImages(
    appImageBuilds(plan.recording).filter(({ name: image }) => prebuilt[image] === undefined),
    new Set(resources.map(({ urn }) => urn)),
    signal,
  );
  for (const { reference } of lost) progress.warn(`image ${reference} is gone: it is built again.`);
  if (refresh)
    for (const { model, place, again } of await trainAgain(cluster))
      progress.warn(
        `the files of ${model} are gone from the store (${place}): ` +
          `${again ? "it is trained again" : "put them back, or take another version"}. ` +
          "What runs goes on with those that it has.",
      );
  if (refresh)
    for (const job of await computeAnswersAgain(cluster))
      progress.warn(`what Job ${job} has computed is gone from the store, or damaged: it computes it again.`);
  if (refresh && resources.length > 0) await putBack(cluster, plan, progress);
  const view = new DeploymentView(progress, plan.recording.resources);
  const declared = new DeclaredObjects();
  const network: NetworkLook = (until) =>
    routingFindings(cluster, mlflowImage(plan.images), { detail: () => undefined }, until);
  const changes = await progress.step("deployment", async (step) => {
    step.detail("comparing the program with what is there");
    const made = await runWatched({ cluster, network }, view, signal, log(name, "up"), (options) =>
      stack.up({
        ...options,
        refresh: refresh && !compared,
        replace: lost.map(({ urn }) => urn),
        onEvent: (event) => {
          options.onEvent?.(event);
          declared.onEvent(event);
        },
      }),
    );
    step.detail(told(made));
    return made;
  });
  await progress.step("what is declared", (step) => verify(cluster, declared.all, step, signal));
  await keepPostgresVersion(cluster, progress);
  return { stack, plan, changes };
}

/** Puts back what releases have lost, before the engine needs it: a model cannot be made without its definition. */
async function putBack(cluster: Cluster, { recording }: Plan, progress: Progress): Promise<void> {
  await progress.step("what releases have made", async (step) => {
    const restored = await restoreReleases(cluster, declaredBy(recording), step);
    for (const { object, was, problem } of restored)
      progress.warn(
        problem === undefined
          ? `${object} was ${was}, and is put back.`
          : `${object} is ${was}, and cannot be put back: ${problem}`,
      );
    step.detail(restored.length === 0 ? "as they have made it" : `${restored.length} put back`);
  });
}

/** What a recovery has done, in words. */
function recovered({ interrupted, forgotten, adopted, failed, staleLock }: Recovery): string[] {
  const settled = new Set([...interrupted, ...forgotten, ...adopted]).size;
  return [
    ...(staleLock || settled > 0 ? [`settled what an interrupted run had left (${settled} resources)`] : []),
    ...(failed.length > 0 ? [`tries again what had failed: ${failed.join(", ")}`] : []),
  ];
}

/** Looks for all that can be known to be wrong. @throws UserError something is. */
function check(
  target: ClusterTarget,
  allow: readonly string[],
  progress: Progress,
  signal: AbortSignal,
): Promise<Plan> {
  return progress.step("pre-flight checks", async (step) => {
    step.detail("reading the configuration");
    const plan = await planOf(target.stack, "assume");
    for (const { severity, message } of plan.recording.notices)
      if (severity === "warning") progress.warn(message);
    step.detail("asking the cluster");
    const deployed = keptContext(target.stack) !== undefined;
    const owner = ownerOf(target.stack, chooseBackend(target.stack));
    const found = await preflight({ target, plan, deployed, owner }, signal);
    refuse([...policyFindings(plan, allow), ...found], progress);
    step.detail(`nothing stands in the way of ${counted(plan.recording.resources) + 1} resources`);
    return plan;
  });
}

/** Sees to it that the cluster finds the project's images. */
function bringImages(
  target: ClusterTarget,
  plan: Plan,
  progress: Progress,
  signal: AbortSignal,
): Promise<PreparedImages> {
  return progress.step("images of the project", async (step) => {
    const prepared = await prepareImages(target, plan, step, signal);
    const built = appImageBuilds(plan.recording).length;
    const loaded = Object.keys(prepared.prebuilt).length;
    const builtFor = appImageBuilds(plan.recording)[0]?.platform ?? prepared.daemonPlatform;
    const platform = builtFor === undefined ? "" : `, for ${builtFor}`;
    const said = loaded > 0 ? `${loaded} in the cluster` : `${built} built by the deployment${platform}`;
    step.detail(built === 0 ? "none to build" : said);
    return prepared;
  });
}

/**
 * Runs the engine, shows what it is busy with and why, and stops it when going on is no use.
 *
 * @param file takes what the engine writes.
 */
export async function runWatched(
  { cluster, network }: Pick<ClusterTarget, "cluster"> & { readonly network?: NetworkLook },
  view: DeploymentView,
  signal: AbortSignal,
  file: string,
  run: (options: RunOptions) => Promise<Changes>,
): Promise<Changes> {
  mkdirSync(path.dirname(file), { recursive: true });
  const output = openSync(file, "w");
  const stop = new AbortController();
  const done = new AbortController();
  // That nobody can look is no reason to end what goes on.
  const watching = watchDeployment(cluster, view, done.signal, network).then(
    (hopeless) => {
      if (hopeless !== undefined) stop.abort(hopeless);
    },
    () => undefined,
  );
  const interrupted = () => {
    view.stopping(errorOf(signal.reason));
  };
  signal.addEventListener("abort", interrupted, { once: true });
  try {
    const changes = await run({
      signal: AbortSignal.any([signal, stop.signal]),
      onEvent: (event) => {
        view.onEvent(event);
      },
      onOutput: (text) => writeSync(output, text),
    });
    view.close();
    return changes;
  } catch (error) {
    const ended: unknown = signal.aborted ? signal.reason : stop.signal.aborted ? stop.signal.reason : error;
    const reason = await behindFailure(cluster, view, ended);
    view.close(errorOf(reason));
    if (!(reason instanceof UserError) || signal.aborted) throw reason;
    throw new UserError(
      `${reason.message}\n  Nothing is lost: once that is mended, the same command goes on from here. Log: ${shown(file)}`,
    );
  } finally {
    signal.removeEventListener("abort", interrupted);
    done.abort();
    closeSync(output);
    await watching;
  }
}

function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** The file that takes what the engine writes. */
export function log(stack: string, command: string): string {
  return path.join(homeDir(), "logs", `${stack}-${command}.log`);
}

/** Does things side by side: the first failure ends the others, and is the one that is thrown. */
async function sideBySide<T extends readonly unknown[]>(
  signal: AbortSignal,
  start: (signal: AbortSignal) => { [K in keyof T]: Promise<T[K]> },
): Promise<T> {
  const stop = new AbortController();
  const promises = start(AbortSignal.any([signal, stop.signal]));
  for (const promise of promises)
    promise.catch((error: unknown) => {
      stop.abort(error);
    });
  const settled = await Promise.allSettled(promises);
  signal.throwIfAborted();
  stop.signal.throwIfAborted();
  return settled.map((one) => (one as PromiseFulfilledResult<unknown>).value) as unknown as T;
}
