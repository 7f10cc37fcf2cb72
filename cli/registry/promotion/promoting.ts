/** What `promote` does with a model: chooses a version, says what speaks for it, and brings it into service. */
import type { Decision } from "../../../config/lock";
import { commandLine } from "../../commandLine";
import { UserError } from "../../errors";
import type { ModelVersion } from "../../mlflow";
import type { Progress } from "../../progress";
import { type Comparison, type Entry, compare, comparisonText, doubt } from "./comparison";
import { type Registry, decide } from "../decide";
import { isSameVersion } from "../difference";
import { decisionsIn } from "../lockFile";
import { challenger } from "./alias";
import { endTrial, triable, tryOut, withoutTrial } from "./canary/trial";
import { type Moving, type MovingOptions, checkMove, isInService, move, tell, writeOnly } from "./moving";
import { type Named, type Promotable, type Versions, numbered, versionLines } from "./promotable";
import { type Scene, decisionFor, servedBefore, toldToServe } from "./scene";

/**
 * Brings a version into service, unless it is.
 *
 * @param word the version's number. @default that of the challenger
 * @throws UserError it was refused, with the way out; or it does not come into service, and what is in service then.
 */
export async function promoteIn(
  scene: Scene,
  word: string | undefined,
  options: MovingOptions,
): Promise<void> {
  const { trial } = options;
  if (trial !== undefined) triable(scene, options.branch);
  const version = await chosenVersion(scene, word, options.progress);
  const to = await decisionFor(scene, version.version);
  const before = await servedBefore(scene, version.version);
  const moving = { scene, to, before };
  if (isInService(scene, to)) {
    await finish(moving, options.progress);
    return;
  }
  accept(scene.what, await compared(moving, version), options);
  if (options.branch) {
    writeOnly(moving, options.progress);
    return;
  }
  // Of what serves by the lock already nothing is to be tried: somebody was stopped on the way to it.
  if (trial !== undefined && !isSameVersion(scene.decisions[scene.what.wish], to)) {
    await checkMove(moving, options);
    await tryOut(moving, trial, options);
  }
  try {
    // What fails from here on goes back to what served alone.
    await move({ ...moving, scene: withoutTrial(scene) }, options);
  } finally {
    dropTried(scene, to);
  }
  tellEnd(moving, options.progress);
}

/** The version that is meant. @throws UserError there is none, with those that there are. */
async function chosenVersion(scene: Scene, word: string | undefined, progress: Progress) {
  const { what, registry, versions, decisions } = scene;
  const decided = decisions[what.wish]?.version.toString();
  const tried = decisions[what.wish]?.canary?.version.toString();
  const told = toldToServe(scene)?.version;
  // Somebody was stopped on the way to it.
  const begun =
    tried !== undefined
      ? { version: tried, why: "which is tried on a share of the requests" }
      : told === undefined || told === decided || decided === undefined
        ? undefined
        : { version: decided, why: "which the lock names" };
  return chooseVersion(registry, what, versions, { word, begun, serving: told ?? decided }, progress);
}

/** What says which version is meant. */
export interface Meant {
  /** The version's number, as it was typed; undefined if none was. */
  readonly word: string | undefined;
  /** The version that somebody was stopped on the way to, and how that is known. */
  readonly begun: { readonly version: string; readonly why: string } | undefined;
  /** Number of the version in service. */
  readonly serving: string | undefined;
}

/**
 * The version that is to come into service: the one that was named, or what is ahead of what serves.
 *
 * @throws UserError there is none, with those that there are.
 */
export async function chooseVersion(
  registry: Registry,
  what: Named & Pick<Promotable, "alias">,
  versions: Versions,
  { word, begun, serving }: Meant,
  progress: Progress,
): Promise<ModelVersion> {
  if (word !== undefined) return numbered(registry, what, versions, word);
  const { alias, registered, stack, model } = what;
  const named = (number: string | undefined) => versions.all.find(({ version }) => version === number);
  const isNewer = (version: string | undefined) => Number(version) > Number(serving ?? 0);
  const [ahead, challenging] = [versions.aliases[alias], versions.aliases[challenger]];
  const candidates = [
    ...(begun === undefined ? [] : [begun]),
    // A training has found it to be better than what serves.
    { why: `the ${alias} of the registry`, version: isNewer(ahead) ? ahead : undefined },
    // One that has lost long ago is not meant.
    { why: `the ${challenger}`, version: isNewer(challenging) ? challenging : undefined },
  ];
  for (const { why, version } of candidates) {
    const found = named(version);
    if (found === undefined) continue;
    progress.say(`${model.name}: version ${found.version}, ${why}.`);
    return found;
  }
  const none =
    challenging === undefined || isNewer(challenging)
      ? `${registered} has no version with the alias ${challenger}`
      : `version ${challenging}, the ${challenger} of ${registered}, is not newer than version ${serving ?? ""}, which serves`;
  throw new UserError(
    `${none}. Choose one: ` +
      `${commandLine("promote", stack, model.name, "VERSION")}\n${await versionLines(registry, versions)}`,
  );
}

/** It serves already: what is left to be told to the registry is told. */
async function finish(moving: Moving, progress: Progress): Promise<void> {
  const { scene, to } = moving;
  const { what } = scene;
  await progress.step("registry", async (step) => {
    step.detail(await tell({ ...moving, before: undefined }, progress));
  });
  progress.event({
    event: "promote",
    stack: what.stack,
    model: what.model.name,
    version: to.version,
    changed: false,
  });
  progress.say(`\nVersion ${to.version} of ${what.model.name} is in service already: nothing was changed.`);
}

/** Leaves nothing of a trial in the lock, once what was tried serves alone, or not at all. */
function dropTried({ what }: Scene, to: Decision): void {
  try {
    if (decisionsIn(what.file)[what.wish]?.canary === undefined) endTrial(what, to.version);
  } catch (error) {
    // That a lock cannot be read is told by whoever needs it; a decision more in it does no harm.
    if (!(error instanceof UserError)) throw error;
  }
}

async function compared({ scene, to, before }: Moving, version: ModelVersion): Promise<Comparison> {
  const { what, registry, decisions } = scene;
  if (before === undefined) return compare(registry, undefined, { decided: to, version });
  const now = decisions[what.wish];
  const decided =
    now?.version === Number(before.version)
      ? now
      : await decide(registry, `models:/${what.registered}/${before.version}`).catch((error: unknown) => {
          // Its files may be gone: that is no reason to keep it.
          if (error instanceof UserError) return undefined;
          throw error;
        });
  const from: Entry | undefined = decided && { decided, version: before };
  return compare(registry, from, { decided: to, version });
}

/** Shows what speaks for a version and against it. @throws UserError its signature is another. */
export function accept(
  { stack, model }: Pick<Named, "model" | "stack">,
  comparison: Comparison,
  { force = false, progress }: Pick<MovingOptions, "force" | "progress">,
): void {
  progress.event({ event: "comparison", stack, model: model.name, ...comparison });
  progress.say(`${comparisonText(comparison)}\n`);
  const worse = doubt(comparison);
  if (worse !== undefined) progress.warn(worse);
  const { signature, to } = comparison;
  if (signature.state !== "changed" || force) return;
  throw new UserError(
    `version ${to.version} takes or answers something else than version ${comparison.from?.version ?? ""}: ` +
      `${signature.columns.join("; ")}. Whoever asks ${model.name} has to know. If they do: ` +
      commandLine("promote", stack, model.name, to.version, "--force"),
  );
}

function tellEnd({ scene, to, before }: Moving, progress: Progress): void {
  const { stack, model, alias } = scene.what;
  const from = before === undefined ? null : Number(before.version);
  progress.event({
    event: "promote",
    stack,
    model: model.name,
    version: to.version,
    from,
    alias,
    changed: true,
  });
  progress.say(`\nVersion ${to.version} of ${model.name} is in service, and ${alias} in the registry.`);
}
