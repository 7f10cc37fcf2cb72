/** What becomes of a version that does not come into service, and what there is to say of it. */
import type { Decision } from "../../../config/lock";
import { commandLine } from "../../commandLine";
import { type Interrupted, UserError, messageOf } from "../../errors";
import type { Progress } from "../../progress";
import { isSame, isSameVersion } from "../difference";
import { decisionsIn } from "../lockFile";
import type { Means, Move } from "./bringing";
import { entryText, writeEntry } from "./meanwhile";

/** What a lock says of the name; or why it cannot be read. */
type LockNow = { readonly decision: Decision | undefined } | { readonly problem: string };

/** The user wants to stop: what was not begun is undone, what was begun is left for the user to say. */
export async function stopped(move: Move, means: Means, interrupted: Interrupted): Promise<UserError> {
  const { model, to, back, file, wish } = move;
  const signal = interrupted.message.split(";", 1)[0] ?? "";
  if (!(await means.deployed(to)))
    return new UserError(`${signal}. ${await untouched(move, means, putBack(move))}`, interrupted.exitCode);
  const now = readable(() => decisionsIn(file)[wish]);
  const named = "decision" in now && isSameVersion(now.decision, to);
  const lines = [
    `${signal} on the way to version ${to.version} of ${model}${named ? ", which the lock names now." : `. ${lockText(move, now)}`}`,
    `To go on: ${command(move, to.version)}`,
    ...(back === undefined || back.version === to.version
      ? []
      : [`To go back: ${command(move, back.version)}`]),
  ];
  return new UserError(lines.join("\n  "), interrupted.exitCode);
}

/** Undoes what was begun. @returns what there is to say of it */
export async function undone(move: Move, means: Means, error: unknown, progress: Progress): Promise<unknown> {
  const { stack, model, to, back } = move;
  const begun = await means.deployed(to);
  const now = putBack(move);
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
  if (!begun) return told(await untouched(move, means, now));
  const before = back?.version === to.version ? undefined : back?.version;
  const goBack = `To go back: ${command(move, before ?? "VERSION")}`;
  if ("problem" in now)
    return told(`${now.problem}\n  Until then version ${to.version} may serve. ${goBack}`);
  const { decision } = now;
  const isOthers = !isSameVersion(decision, back);
  if (isOthers && isSameVersion(decision, to)) return told(`${lockText(move, now)} ${goBack}`);
  if (!isOthers && back?.version === to.version)
    return told(
      `The lock named it before, and what served before that is not known. Choose one: ${command(move, "VERSION")}`,
    );
  const next = decision === undefined ? "what was before" : `version ${decision.version}`;
  progress.warn(
    `version ${to.version} of ${model} does not come into service: ${isOthers ? "the lock names" : "back to"} ${next}.`,
  );
  const says = isOthers ? entryText(move, decision) : `The lock says ${next} again`;
  try {
    await means.deploy("back");
  } catch (second) {
    return told(
      `${says}, which could not be deployed: ${messageOf(second)}\n  To go on with that: ${commandLine("up", stack)}`,
      second instanceof UserError ? second.exitCode : 1,
    );
  }
  return told(
    isOthers
      ? `${says}. That was deployed, and nobody has seen it answer.\n  To finish: ${command(move, decision?.version ?? "VERSION")}`
      : `Back in service: ${next}. The registry was told nothing.`,
  );
}

/** Nothing of the version is in the cluster; others may have done something all the same. */
async function untouched(move: Move, { instead }: Means, now: LockNow): Promise<string> {
  const serving = await instead();
  const asBefore = "decision" in now && isSameVersion(now.decision, move.back);
  if (asBefore && serving === undefined) return "Nothing was deployed, and the lock is as it was.";
  return [
    `Nothing of version ${move.to.version} is deployed.`,
    asBefore ? "The lock is as it was." : lockText(move, now),
    ...(serving === undefined ? [] : [`In the cluster ${serving} now.`]),
  ].join(" ");
}

/** Has the lock say what it did before, unless somebody has decided something else meanwhile. */
function putBack(move: Move): LockNow {
  const { to, back } = move;
  return readable(() => writeEntry(move, (now) => (now === undefined || isSame(now, to) ? back : now)));
}

function readable(read: () => Decision | undefined): LockNow {
  try {
    return { decision: read() };
  } catch (error) {
    if (error instanceof UserError) return { problem: error.message };
    throw error;
  }
}

function lockText(move: Move, now: LockNow): string {
  return "problem" in now ? now.problem : `${entryText(move, now.decision)}.`;
}

function command({ stack, model }: Move, version: number | string): string {
  return commandLine("promote", stack, model, version);
}
