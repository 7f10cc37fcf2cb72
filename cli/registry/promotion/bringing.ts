/**
 * How another version comes into service: written down, deployed, watched, and only then told to the registry. What fails
 * before that is undone. Whoever is stopped in between ends in one of the two states with the same command.
 */
import type { Decision } from "../../../config/lock";
import { commandLine } from "../../commandLine";
import { Interrupted, UserError } from "../../errors";
import type { Progress } from "../../progress";
import { type LockEntry, Overtaken, writeEntry } from "./meanwhile";
import { stopped, undone } from "./undoing";

/** Another version for a model of a stack. */
export interface Move extends LockEntry {
  /** Name of the model in the stack. */
  readonly model: string;
  readonly to: Decision;
  /** What stands in the lock again if it fails; undefined if nothing did. */
  readonly back: Decision | undefined;
}

/** What does it. */
export interface Means {
  /** Deploys what stands in the lock; `back` where that undoes a deployment. */
  readonly deploy: (way: "back" | "forth") => Promise<void>;
  /** Whether anything of a decision was deployed. */
  readonly deployed: (decision: Decision) => Promise<boolean>;
  /** What serves by somebody else's doing, in words; undefined if nothing does. */
  readonly instead: () => Promise<string | undefined>;
  /** Sees the new version answer. */
  readonly watch: () => Promise<void>;
  /** Tells the registry. */
  readonly record: () => Promise<void>;
  /** Aborted, with an `Interrupted`, when the user wants to stop. */
  readonly signal: AbortSignal;
}

/**
 * Brings a version into service.
 *
 * @throws UserError it does not come into service, and what was before is there again; or what is left to be done.
 */
export async function bring(move: Move, means: Means, progress: Progress): Promise<void> {
  const { to, model, stack } = move;
  writeEntry(move, () => to);
  try {
    await means.deploy("forth");
    await means.watch();
  } catch (error) {
    const interrupted: unknown = means.signal.reason;
    throw interrupted instanceof Interrupted
      ? await stopped(move, means, interrupted)
      : await undone(move, means, error, progress);
  }
  try {
    await means.record();
  } catch (error) {
    if (!(error instanceof UserError) || error instanceof Overtaken) throw error;
    throw new UserError(
      `version ${to.version} of ${model} serves, and the registry could not be told all of it: ${error.message}\n` +
        `  To finish: ${commandLine("promote", stack, model, to.version)}`,
    );
  }
}
