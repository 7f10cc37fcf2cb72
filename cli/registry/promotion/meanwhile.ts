/** What others have done while a version was brought into service: nobody is kept from deciding or deploying then. */
import type { Decision } from "../../../config/lock";
import { listed } from "../../../config/words";
import { commandLine } from "../../commandLine";
import { UserError } from "../../errors";
import { shown } from "../../paths";
import type { Progress } from "../../progress";
import type { ServedPredictor } from "../../serving/served";
import { servedVersion } from "../../serving/version";
import { isSameVersion } from "../difference";
import { decisionsIn, rewriteLock } from "../lockFile";
import { type Scene, isServed, predictorsOf } from "./scene";

/** Where a lock says what a name stands for. */
export interface LockEntry {
  readonly stack: string;
  /** The stack's lock. */
  readonly file: string;
  /** The name in the registry. */
  readonly wish: string;
}

/** Another version was decided on, or deployed, by somebody else. */
export class Overtaken extends UserError {
  override readonly name = "Overtaken";
}

/**
 * Has a lock say something else of one name. What others have decided meanwhile stays.
 *
 * @returns what it says now.
 * @throws UserError it cannot be read or written.
 */
export function writeEntry(
  { file, stack, wish }: LockEntry,
  change: (now: Decision | undefined) => Decision | undefined,
): Decision | undefined {
  let written: Decision | undefined;
  rewriteLock(file, stack, (all) => {
    const { [wish]: now, ...others } = all;
    written = change(now);
    return written === undefined ? others : { ...others, [wish]: written };
  });
  return written;
}

/** What a lock says of a name, and who has decided so. */
export function entryText({ file, wish }: LockEntry, decision: Decision | undefined): string {
  if (decision === undefined) return `${shown(file)} says nothing of ${wish}`;
  const { version, decided } = decision;
  return `${shown(file)} names version ${version}, decided on by ${decided.by} at ${decided.at}`;
}

/** What serves, by the registry. */
async function servingText({ registry }: Scene, predictors: readonly ServedPredictor[]): Promise<string> {
  const all = predictors.map(async (predictor) => {
    const version = await servedVersion(registry.mlflow, predictor);
    return version === undefined ? (predictor.modelUri ?? "what is in its image") : `version ${version}`;
  });
  const names = [...new Set(await Promise.all(all))];
  return names.length === 0
    ? "nothing serves"
    : `${listed(names)} ${names.length === 1 ? "serves" : "serve"}`;
}

/** What serves in place of a version and of what served before it; undefined if nothing does, or nobody can tell. */
export async function servingInstead(scene: Scene, to: Decision): Promise<string | undefined> {
  try {
    const now = await predictorsOf(scene);
    const files = (predictors: Scene["predictors"]) => predictors.map(({ modelUri }) => modelUri).join();
    const known = isServed({ predictors: now }, to.files) || files(now) === files(scene.predictors);
    return known ? undefined : await servingText(scene, now);
  } catch {
    return undefined;
  }
}

/**
 * Sees that a version is still what the lock says and what serves. Where nobody else has decided on anything, and the lock
 * was only lost, it is written again.
 *
 * @param moved whether the alias stands for it by now.
 * @throws Overtaken it is not.
 */
export async function confirm(
  scene: Scene,
  to: Decision,
  { moved, progress }: { readonly moved: boolean; readonly progress: Progress },
): Promise<void> {
  const { what } = scene;
  const { stack, file, model, alias } = what;
  const predictors = await predictorsOf(scene);
  const serves = isServed({ predictors }, to.files);
  const found = decisionsIn(file)[what.wish];
  const now = found === undefined && serves ? writeEntry(what, (since) => since ?? to) : found;
  if (found === undefined && serves)
    progress.warn(
      `${shown(file)} named no version of ${model.name} any more: version ${to.version}, which serves, was written there ` +
        `again. See that it says what it did of other models.`,
    );
  if (serves && isSameVersion(now, to)) return;
  const others = now === undefined || isSameVersion(now, to) ? "VERSION" : now.version;
  const command = (version: number | string) => commandLine("promote", stack, model.name, version);
  throw new Overtaken(
    `version ${to.version} of ${model.name} was overtaken: ${entryText(what, now)}, and ` +
      `${await servingText(scene, predictors)}. ` +
      (moved
        ? `The alias ${alias} was moved to version ${to.version} before that was seen.\n  To set it right: ${command(others)}`
        : `The alias ${alias} was left as it is.\n  To take version ${to.version} all the same: ${command(to.version)}`),
  );
}
