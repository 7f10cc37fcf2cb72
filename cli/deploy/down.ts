import { namespaceNames } from "../../components/capabilities";
import { useBuilder } from "../cluster/images";
import { clusterWideRest } from "../cluster/clusterWide";
import { inCluster } from "../cluster/ownObjects";
import { volumesOf } from "../cluster/volumes";
import { type Consent, askBefore, confirmLoss } from "../consent";
import { chooseBackend } from "../engine/backend";
import { ownerOf } from "../engine/owner";
import { forgetContext, keptContext } from "../engine/settings";
import { EngineStack } from "../engine/stack";
import type { StateResource } from "../engine/state";
import { UserError } from "../errors";
import { once } from "../preflight/inspection";
import { listed } from "../../config/words";
import type { Progress } from "../progress";
import { type ClusterTarget, clusterTarget } from "../target";
import { counted, told } from "./changes";
import {
  type Presence,
  aboutUnmarked,
  isAbsent,
  mayBeThere,
  namespacesIn,
  ownPart,
  requireGone,
  spaces,
} from "./presence";
import { prepareEngine, prepareProviders } from "./prepared";
import { removeRetained } from "./retained";
import { log, runWatched } from "./up";
import { DeploymentView } from "./view";

/** How a stack is removed. */
export interface RemoveOptions extends Consent {
  /** Remove protected data too, which staging and prod keep otherwise. @default false */
  readonly data?: boolean;
}

/**
 * Forgets a stack whose cluster is gone for good; nothing is removed anywhere.
 *
 * @throws UserError it was not brought up from here, its cluster answers, or nobody has confirmed it.
 */
export async function forgetStack(
  name: string,
  consent: RemoveOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const context = keptContext(name);
  if (context === undefined) throw new UserError(`stack ${name} was not brought up from here.`);
  const open = once(async () => EngineStack.open(name, await prepareEngine(progress, signal), undefined));
  const answering = await clusterTarget({ stack: name }).catch(() => undefined);
  if (answering !== undefined) {
    const known = namespacesIn((await (await open()).state()).resources ?? []);
    if (await mayBeThere(answering.cluster, ownerOf(name, chooseBackend(name)), known))
      throw new UserError(
        `the cluster of stack ${name}, context ${context}, answers. Remove the stack from it: npm run down, without --forget.`,
      );
  }
  const what = `The state of stack ${name}, with its passwords, will be forgotten; what is in context ${context} stays there.`;
  await askBefore(what, "Forget it?", name, consent, progress);
  await (await open()).forget({ resources: true });
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
  const owner = ownerOf(name, chooseBackend(name));
  await ownPart(target, owner);
  const engine = await prepareEngine(progress, signal);
  const { stack, resources } = await progress.step("state", async (step) => {
    const opened = await EngineStack.open(name, engine, { context: context.name, prebuilt: {} });
    await opened.recover(inCluster(cluster), "destroy", step);
    const state = await opened.state();
    step.detail(`${counted(state.resources ?? [])} resources`);
    return { stack: opened, resources: state.resources ?? [] };
  });
  const known = namespacesIn(resources);
  const there = await ownPart(target, owner, known);
  const { data = false } = options;
  if (isAbsent(target, owner, there, { known, empty: resources.length === 0, data })) {
    await forgetAbsent(target, stack, { resources, there }, options, progress);
    return;
  }
  const kept = data ? [] : resources.filter((resource) => resource.protect === true);
  const spared = there.unmarked.map((one) => one.name);
  await confirmRemoval(target, { resources, keeps: kept.length > 0, spared }, options, progress);

  await prepareProviders(engine, resources, progress, signal);
  await useBuilder(target, resources, signal);
  if (data) await stack.unprotect();
  const view = new DeploymentView(progress, resources);
  const changes = await progress.step("removal", (step) => {
    step.detail(`${counted(resources)} resources`);
    return runWatched(target, view, signal, log(name, "down"), (run) =>
      stack.destroy({ ...run, keepProtected: kept.length > 0 }),
    );
  });
  const retained = data
    ? await progress.step("retained data", async (step) => {
        const removed = await removeRetained(cluster, owner, known, step, signal);
        step.detail(removed.length === 0 ? "none" : removed.join(", "));
        return removed;
      })
    : [];
  const after = (await stack.state()).resources ?? [];
  const stay = data ? [] : resources.filter(({ retainOnDelete }) => retainOnDelete === true);
  const removed = known.filter((one) => !namespacesIn([...after, ...stay]).includes(one));
  await requireGone(target, removed, told(changes));
  if (kept.length === 0) {
    forgetContext(name);
    if (stack.backend.own) await stack.forget();
  }
  progress.event({
    event: "down",
    target: "cluster",
    stack: name,
    changes,
    retained,
    kept: kept.map(({ urn }) => urn),
  });
  progress.say(
    kept.length === 0
      ? `Stack ${name} is gone from ${context.name}: ${removedInWords(changes, retained)}.`
      : `Removed from ${context.name}: ${told(changes)}. Kept with their data and passwords: ${kept.length} ` +
          `protected resources; npm run up -- --stack ${name} takes them up again, npm run down -- --stack ${name} ` +
          `--data removes them.`,
  );
  if (there.unmarked.length > 0) progress.warn(aboutUnmarked(target, owner, there.unmarked));
  await sayRest(target, progress);
}

/** What the engine has removed, and what has been removed beside it: `62 removed; namespace postgres`. */
export function removedInWords(
  changes: Readonly<Record<string, number>>,
  retained: readonly string[],
): string {
  const byEngine = Object.keys(changes).length > 0 || retained.length === 0 ? [told(changes)] : [];
  return [...byEngine, ...(retained.length > 0 ? [`${listed(retained)} removed`] : [])].join("; ");
}

/** Names what stays outside of every namespace. */
async function sayRest(target: ClusterTarget, progress: Progress): Promise<void> {
  const rest = await clusterWideRest(target);
  if (rest !== undefined) progress.warn(rest);
}

/** Forgets a stack of which nothing is in the cluster, and claims to have removed nothing. @throws UserError */
async function forgetAbsent(
  target: ClusterTarget,
  stack: EngineStack,
  { resources, there: { own, unmarked } }: { resources: readonly StateResource[]; there: Presence },
  consent: Consent,
  progress: Progress,
): Promise<void> {
  const { stack: name, context } = target;
  if (resources.length > 0) {
    const what =
      `Nothing of stack ${name} is in context ${context.name} any more, or that leads to another cluster now: its ` +
      `state, with its passwords, will be forgotten.`;
    await confirmLoss(what, name, consent, progress);
  }
  const there = [...own, ...unmarked];
  const others =
    there.length === 0
      ? ""
      : ` There ${there.length === 1 ? "is" : "are"} ${spaces(there)}, of which its state knows nothing.`;
  forgetContext(name);
  if (stack.backend.own) await stack.forget({ resources: true });
  progress.event({ event: "down", target: "cluster", stack: name, changes: {}, retained: [], kept: [] });
  progress.say(`Nothing of stack ${name} was in ${context.name}, and nothing was removed.${others}`);
  await sayRest(target, progress);
}

/** What a removal is about. */
interface Going {
  /** What the state says is there. */
  readonly resources: readonly Pick<StateResource, "type">[];
  /** Whether some of it stays. */
  readonly keeps: boolean;
  /** Namespaces of the platform that stay, since they may be another stack's. */
  readonly spared: readonly string[];
}

/**
 * Says which data would go or stay, and asks; for data the stack's name has to be typed.
 *
 * @throws UserError nobody has agreed.
 */
export async function confirmRemoval(
  { stack, context, cluster }: Pick<ClusterTarget, "stack" | "context" | "cluster">,
  { resources, keeps, spared }: Going,
  consent: Consent,
  progress: Progress,
): Promise<void> {
  const going = Object.values(namespaceNames).filter((each) => !spared.includes(each));
  const volumes = await volumesOf(cluster, going);
  const list = volumes.map(({ name, size }) => `  ${name} (${size})`).join("\n");
  const about = `Stack ${stack} in ${context.name}`;
  const halves = keeps ? [] : otherHalves(resources);
  const what = keeps
    ? `${about} will be removed, but for what is protected: the data stay.`
    : [
        `${about} will be removed, with all its data${volumes.length === 0 ? "." : `:\n${list}`}`,
        ...halves,
      ].join("\n");
  progress.event({ event: "removal", stack, context: context.name, volumes, keepsData: keeps });
  if (keeps || volumes.length === 0) await askBefore(what, "Remove it?", stack, consent, progress);
  else await confirmLoss(what, stack, consent, progress);
}

/** What stays elsewhere and loses its meaning. */
function otherHalves(resources: readonly Pick<StateResource, "type">[]): string[] {
  const has = (type: string) => resources.some((resource) => resource.type === type);
  return [
    ...(has("mlplatform:database:ExternalDatabase") && has("mlplatform:objectStore:MinioChart")
      ? ["The database elsewhere stays; what it lists of runs and versions loses its files."]
      : []),
    ...(has("mlplatform:objectStore:ExternalS3") && has("mlplatform:database:PostgresChart")
      ? ["The store elsewhere stays; nothing says any more what its files belong to."]
      : []),
  ];
}
