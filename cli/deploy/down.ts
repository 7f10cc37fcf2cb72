import type { V1PersistentVolumeClaim } from "@kubernetes/client-node";

import { namespaceNames } from "../../components/namespaces/traffic";
import { agreed, isInteractive } from "../ask";
import type { Cluster } from "../cluster/cluster";
import { HelmReleases } from "../cluster/releases";
import { forgetContext, keptContext } from "../engine/settings";
import { EngineStack } from "../engine/stack";
import { UserError } from "../errors";
import type { Progress } from "../progress";
import { type ClusterTarget, clusterTarget } from "../target";
import { told } from "./changes";
import { prepareEngine, prepareProviders } from "./prepared";
import { removeRetained } from "./retained";
import { log, runWatched } from "./up";
import { DeploymentView } from "./view";

/** How a stack is removed. */
export interface RemoveOptions {
  /** Remove protected data too, which staging and prod keep otherwise. @default false */
  readonly data?: boolean;
  /** Do not ask. @default false */
  readonly yes?: boolean;
}

/**
 * Forgets a stack whose cluster is gone for good; nothing is removed anywhere.
 *
 * @throws UserError it was not brought up from here, its cluster answers, or nobody has confirmed it.
 */
export async function forgetStack(
  name: string,
  { yes = false }: RemoveOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const context = keptContext(name);
  if (context === undefined) throw new UserError(`stack ${name} was not brought up from here.`);
  const answers = await clusterTarget({ stack: name }).then(
    () => true,
    () => false,
  );
  if (answers)
    throw new UserError(
      `the cluster of stack ${name}, context ${context}, answers. Remove the stack from it: npm run down, without --forget.`,
    );
  const what = `The state of stack ${name}, with its passwords, will be forgotten; what is in context ${context} stays there.`;
  progress.say(what);
  if (!yes) await askFor(what, "Forget it?", progress);
  const engine = await prepareEngine(progress, signal);
  const stack = await EngineStack.open(name, engine, undefined);
  await stack.forget({ resources: true });
  forgetContext(name);
  progress.event({ event: "forgotten", stack: name, context });
  progress.say(`Stack ${name} is forgotten.`);
}

/**
 * Removes a stack from its cluster, also one that a run has left half-finished.
 *
 * @throws UserError nobody has confirmed what would be lost, or the removal failed; the same command then goes on.
 */
export async function removeStack(
  target: ClusterTarget,
  options: RemoveOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { stack: name, cluster, context } = target;
  const engine = await prepareEngine(progress, signal);
  const { stack, resources } = await progress.step("state", async (step) => {
    const opened = await EngineStack.open(name, engine, { context: context.name, prebuilt: {} });
    await opened.recover(new HelmReleases(cluster), "destroy", step);
    const state = await opened.state();
    step.detail(`${state.resources?.length ?? 0} resources`);
    return { stack: opened, resources: state.resources ?? [] };
  });
  const kept = options.data === true ? [] : resources.filter((resource) => resource.protect === true);
  if (resources.length > 0 || options.data === true)
    await confirmRemoval(target, kept.length > 0, options, progress);

  await prepareProviders(engine, resources, progress, signal);
  if (options.data === true) await stack.unprotect();
  const view = new DeploymentView(progress, resources);
  const changes = await progress.step("removal", (step) => {
    step.detail(`${resources.length} resources`);
    return runWatched(target, view, signal, log(name, "down"), (run) =>
      stack.destroy({ ...run, keepProtected: kept.length > 0 }),
    );
  });
  if (options.data === true) {
    await progress.step("retained data", async (step) => {
      const removed = await removeRetained(cluster, step, signal);
      step.detail(removed.length === 0 ? "none" : removed.join(", "));
    });
  }
  if (kept.length === 0) {
    forgetContext(name);
    if (stack.backend.own) await stack.forget();
  }
  progress.event({
    event: "down",
    target: "cluster",
    stack: name,
    changes,
    kept: kept.map(({ urn }) => urn),
  });
  progress.say(
    kept.length === 0
      ? `Stack ${name} is gone from ${context.name}: ${told(changes)}.`
      : `Removed from ${context.name}: ${told(changes)}. Kept with their data and passwords: ${kept.length} ` +
          `protected resources; npm run up -- --stack ${name} takes them up again, npm run down -- --stack ${name} ` +
          `--data removes them.`,
  );
}

/** Says which data would go or stay, and asks. @throws UserError nobody has said yes. */
export async function confirmRemoval(
  { stack, context, cluster }: Pick<ClusterTarget, "stack" | "context" | "cluster">,
  keeps: boolean,
  { yes = false }: RemoveOptions,
  progress: Progress,
): Promise<void> {
  const volumes = await volumesOf(cluster);
  const list = volumes.map(({ name, size }) => `  ${name} (${size})`).join("\n");
  const about = `Stack ${stack} in ${context.name}`;
  const what = keeps
    ? `${about} will be removed, but for what is protected: the data stay.`
    : `${about} will be removed, with all its data${volumes.length === 0 ? "." : `:\n${list}`}`;
  progress.event({ event: "removal", stack, context: context.name, volumes, keepsData: keeps });
  progress.say(what);
  if (yes) return;
  await askFor(what, "Remove it?", progress);
}

/** Asks on a terminal. @throws UserError the answer is no, or nobody is here to give one. */
async function askFor(what: string, question: string, progress: Progress): Promise<void> {
  if (!isInteractive() || progress.mode === "json")
    throw new UserError(`${what}\nNobody is here to be asked; if that is what you want, add --yes.`);
  if (!(await agreed(question))) throw new UserError("nothing was changed.");
}

/** The volumes of the platform's namespaces. What cannot be seen is not told. */
async function volumesOf(cluster: Cluster): Promise<{ readonly name: string; readonly size: string }[]> {
  const lists = await Promise.all(
    Object.values(namespaceNames).map((namespace) =>
      cluster
        .list<V1PersistentVolumeClaim>(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`)
        .catch(() => []),
    ),
  );
  return lists.flat().map(({ metadata, spec, status }) => ({
    name: `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`,
    size: status?.capacity?.["storage"] ?? spec?.resources?.requests?.["storage"] ?? "unknown size",
  }));
}
