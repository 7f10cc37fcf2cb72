/**
 * How another version comes into service: written down, deployed, watched, and only then told to the registry. What fails
 * before that is undone. Whoever is stopped in between ends in one of the two states with the same command.
 */
import type { Decision } from "../../../config/lock";
import { Interrupted, UserError, messageOf } from "../../errors";
import type { Progress } from "../../progress";
import { isSame } from "../difference";
import { defaultStack } from "../../target";
import { rewriteLock } from "../lockFile";

/** Another version for a model of a stack. */
export interface Move {
  readonly stack: string;
  /** The stack's lock. */
  readonly file: string;
  /** Name of the model in the stack. */
  readonly model: string;
  /** What it is called in the registry. */
  readonly wish: string;
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
  writeLock(move, () => to);
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
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `version ${to.version} of ${model} serves, and the registry could not be told all of it: ${error.message}\n` +
        `  To finish: ${commandLine("promote", stack, model, to.version)}`,
    );
  }
}

const untouched = "Nothing was deployed, and the lock is as it was.";

/** The user wants to stop: what was not begun is undone, what was begun is left for the user to say. */
async function stopped(move: Move, { deployed }: Means, interrupted: Interrupted): Promise<UserError> {
  const { stack, model, to, back } = move;
  const signal = interrupted.message.split(";", 1)[0] ?? "";
  if (!(await deployed(to))) {
    writeLock(move, putBack(move));
    return new UserError(`${signal}. ${untouched}`, interrupted.exitCode);
  }
  const to_ = (version: number) => commandLine("promote", stack, model, version);
  const lines = [
    `${signal} on the way to version ${to.version} of ${model}, which the lock names now.`,
    `To go on: ${to_(to.version)}`,
    ...(back === undefined || back.version === to.version ? [] : [`To go back: ${to_(back.version)}`]),
  ];
  return new UserError(lines.join("\n  "), interrupted.exitCode);
}

/** Undoes what was begun. @returns what there is to say of it */
async function undone(move: Move, means: Means, error: unknown, progress: Progress): Promise<unknown> {
  const { stack, model, to, back } = move;
  const begun = await means.deployed(to);
  writeLock(move, putBack(move));
  const told = (text: string, code = 1) => {
    // A fault of the program is shown with its stack.
    if (error instanceof UserError)
      return new UserError(
        `version ${to.version} of ${model} is not in service: ${error.message}\n  ${text}`,
        code,
      );
    progress.warn(text);
    return error;
  };
  if (!begun) return told(untouched);
  if (back?.version === to.version)
    return told(
      `The lock named it before, and what served before that is not known. Choose one: ${commandLine("promote", stack, model, "VERSION")}`,
    );
  const before = back === undefined ? "what was before" : `version ${back.version}`;
  progress.warn(`version ${to.version} of ${model} does not come into service: back to ${before}.`);
  try {
    await means.deploy("back");
  } catch (second) {
    const go = commandLine("up", stack);
    return told(
      `The lock says ${before} again, which could not be deployed: ${messageOf(second)}\n  To go on with that: ${go}`,
      second instanceof UserError ? second.exitCode : 1,
    );
  }
  return told(`Back in service: ${before}. The registry was told nothing.`);
}

/** Has the lock say something else of one name. What others have decided meanwhile stays. */
function writeLock(
  { file, stack, wish }: Move,
  change: (now: Decision | undefined) => Decision | undefined,
): void {
  rewriteLock(file, stack, (all) => {
    const { [wish]: now, ...others } = all;
    const decision = change(now);
    return decision === undefined ? others : { ...others, [wish]: decision };
  });
}

/** What stood there before, unless somebody has decided something else meanwhile. */
function putBack({ to, back }: Move): (now: Decision | undefined) => Decision | undefined {
  return (now) => (now !== undefined && isSame(now, to) ? back : now);
}

/** A command as it is typed. */
export function commandLine(command: string, stack: string, ...words: readonly (number | string)[]): string {
  const rest = [...words, ...(stack === defaultStack ? [] : ["--stack", stack])];
  return [`npm run ${command}`, ...(rest.length === 0 ? [] : ["--", ...rest])].join(" ");
}
