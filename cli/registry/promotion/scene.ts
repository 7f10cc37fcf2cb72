/** What there is to know before another version of a model comes into service. */
import type { Decision, Decisions } from "../../../config/lock";
import type { PlatformConfig } from "../../../config";
import { registryName } from "../../../config/registryNames";
import { UserError } from "../../errors";
import type { ModelVersion } from "../../mlflow";
import { backend } from "../../serving/backend";
import type { ServedPredictor } from "../../serving/served";
import { servedVersion } from "../../serving/version";
import { type ClusterTarget, type TargetOptions, clusterTarget, defaultStack } from "../../target";
import { withChecksums } from "../checksums";
import { isSameVersion } from "../difference";
import { type Registry, decide } from "../decide";
import { withEnvironment } from "../environment";
import { decisionsIn } from "../lockFile";
import { type Promotable, type Versions, promotable, versionsOf } from "./promotable";
import { servingIn } from "./record";
import { needRegistry } from "../registry";
import { signed } from "../signed";
import { allWishes, unfit } from "../update";

/** A model of a stack, with all that the lock, the registry and the cluster say of it. */
export interface Scene {
  readonly what: Promotable;
  readonly target: ClusterTarget;
  readonly registry: Registry;
  readonly versions: Versions;
  /** What the lock says. */
  readonly decisions: Decisions;
  /** What of the cluster serves the model's own version. */
  readonly predictors: readonly ServedPredictor[];
}

/** @throws UserError there is no such model, its version is not decided by an alias, or somebody cannot be asked. */
export async function sceneOf(options: TargetOptions, name: string): Promise<Scene> {
  const stack = options.stack ?? defaultStack;
  // The SDK takes a second, for which a wrong word should not have to wait.
  const { platformConfig } = await import("../../plan/plan.js");
  const what = promotable(stack, await platformConfig(stack, {}), name);
  return sceneIn(await clusterTarget(options), what);
}

/** The same of a model in a cluster. @throws UserError somebody cannot be asked, or the registry has no such model. */
export async function sceneIn(target: ClusterTarget, what: Promotable): Promise<Scene> {
  const decisions = decisionsIn(what.file);
  const registry = await needRegistry(target.cluster);
  const [versions, predictors] = await Promise.all([
    versionsOf(registry, what),
    predictorsOf({ what, target }),
  ]);
  return { what, target, registry, versions, decisions, predictors };
}

/** What of the cluster serves a model's own version now. */
export async function predictorsOf({
  what,
  target,
}: Pick<Scene, "target" | "what">): Promise<readonly ServedPredictor[]> {
  const { name, predictors = [] } = what.model;
  const served =
    (await backend.models(target.cluster)).find((model) => model.name === name)?.predictors ?? [];
  const apart = predictors.flatMap((one) => (one.model === undefined ? [] : one.name));
  return served.filter((one) => !apart.includes(one.name));
}

/** Whether files are what the model's own predictors serve. */
export function isServed({ predictors }: Pick<Scene, "predictors">, files: string): boolean {
  return predictors.length > 0 && predictors.every(({ modelUri }) => modelUri === files);
}

/** What was decided of the same registered model for all names that the stack has of it. */
export function decisionsOf(
  {
    registered,
    config,
  }: Pick<Promotable, "registered"> & { readonly config: Pick<PlatformConfig, "models"> },
  decisions: Decisions,
): ReadonlyMap<string, Decision> {
  const wishes = [...allWishes(config.models).keys()].filter(
    (wish) => registryName(wish)?.model === registered,
  );
  return new Map(
    wishes.flatMap((wish) => {
      const decision = decisions[wish];
      return decision === undefined ? [] : [[wish, decision] as const];
    }),
  );
}

/**
 * The version that serves in a stack by what the tags tell, beside what serves under other names; where that is not what
 * the lock says, somebody was stopped on the way from the one to the other.
 */
export function toldToServe({ what, versions, decisions }: Scene): ModelVersion | undefined {
  const others = [...decisionsOf(what, decisions)].filter(([wish]) => wish !== what.wish);
  const elsewhere = new Set(others.map(([, { version }]) => String(version)));
  const told = servingIn(versions.all, what.stack).filter(({ version }) => !elsewhere.has(version));
  const decided = String(decisions[what.wish]?.version);
  return told.find(({ version }) => version !== decided) ?? told[0];
}

/** What served before a version, or serves beside it still: by the tags, by the files in service, or by the lock. */
export async function servedBefore(scene: Scene, version: string): Promise<ModelVersion | undefined> {
  const { what, registry, versions, decisions, predictors } = scene;
  const told = toldToServe(scene);
  if (told !== undefined && told.version !== version) return told;
  const [predictor] = predictors;
  const serves = predictor && (await servedVersion(registry.mlflow, predictor));
  const known = [serves, decisions[what.wish]?.version.toString()];
  const before = known.find((one) => one !== undefined && one !== version);
  return versions.all.find((one) => one.version === before);
}

/**
 * The decision for a version: that of the lock, if it is the same. Else its files are read, so that pods can tell whether
 * they load the same.
 *
 * @throws UserError it cannot be served as this model, or its files are gone.
 */
export async function decisionFor({ what, registry, decisions }: Scene, version: string): Promise<Decision> {
  const { registered, wish, model, config } = what;
  const found = await decide(registry, `models:/${registered}/${version}`);
  const now = decisions[wish];
  // What is tried beside it is no part of what it is.
  const kept = now !== undefined && isSameVersion(now, found) ? alone(now) : undefined;
  const decision = kept ?? { ...found, decided: signed() };
  const wrong = unfit(wish, decision, config);
  if (wrong.length > 0) throw new UserError(`model ${model.name} cannot be ${wrong.join("; ")}`);
  const equipped = await withEnvironment(registry, wish, decision, config);
  return equipped.sha256 === undefined ? withChecksums(registry, wish, equipped) : equipped;
}

/** What is to stand in the lock again if a version fails: what served before it, as far as that is known. */
export async function decisionBefore(
  scene: Scene,
  before: ModelVersion | undefined,
): Promise<Decision | undefined> {
  const now = scene.decisions[scene.what.wish];
  if (before === undefined || now?.version === Number(before.version)) return now;
  return decisionFor(scene, before.version).catch((error: unknown) => {
    // Its files are gone, or no server loads it any more: there is no way back to it.
    if (error instanceof UserError) return now;
    throw error;
  });
}

/** A decision without what is tried beside it. */
export function alone(decision: Decision): Decision {
  const { canary: tried, ...rest } = decision;
  return tried === undefined ? decision : rest;
}
