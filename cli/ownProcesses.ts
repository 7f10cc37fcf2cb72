import { realpathSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { homeDir } from "./paths";
import { type Having, processTable } from "./processTable";

/** A process that is told from a later one that got the same number, also by another run of this program. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in whatever form the system says it. */
  readonly started: string;
}

const stopGraceMilliseconds = 4_000;
/** Variable of all that is started here: the folder that it was started for. What it starts itself inherits it. */
const folderVariable = "MLPLATFORM_STARTED_FOR";
/** Variable of what the next command may stop, if the one that has started it was killed: which process that was. */
const starterVariable = "MLPLATFORM_STARTED_BY";

/** Variable of an engine and of all that it starts: the number of the engine. */
const engineVariable = "MLPLATFORM_ENGINE";

/** The identity of a running process; undefined if there is none of this number. */
export function identify(pid: number): ProcessIdentity | undefined {
  const facts = processTable.facts(pid);
  return facts && { pid, started: facts.started };
}

/** The folder of `homeDir()` by its one name, which a copy of it does not share. */
export function ownFolder(): string {
  const folder = path.resolve(homeDir());
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}

/**
 * The variables by which a process is known for one of this folder's: a number alone may be a stranger's by now.
 *
 * @param passing whether it has no use without the process that starts it, and is stopped when that was killed.
 */
export function ownMarks(passing: boolean): Record<string, string> {
  // Without blanks: `ps` parts variables by them.
  const marks = { [folderVariable]: encodeURIComponent(ownFolder()) };
  return passing
    ? { ...marks, [starterVariable]: encodeURIComponent(JSON.stringify(identify(process.pid))) }
    : marks;
}

/** Whether a process was started here, for this folder. */
export function isOurs(pid: number): boolean {
  return processTable.variable(pid, folderVariable) === encodeURIComponent(ownFolder());
}

/** Whether a process that was started here still runs, or any process of the group that it led. */
export function isRunning({ pid, started }: ProcessIdentity): boolean {
  const now = processTable.facts(pid);
  if (now !== undefined) return now.started === started && isOurs(pid);
  // While a group has members its number is given to no new process; but it may have been free, and a stranger's, since.
  const ours = encodeURIComponent(ownFolder());
  return processTable.having(folderVariable).some(({ group, value }) => group === pid && value === ours);
}

/** Signals a process that was started here, with all of its group; nothing if it is not ours or no longer there. */
export function signalOwn(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (isRunning(identity)) signalGroup(identity.pid, signal);
}

/** Stops a process that was started here, with all of its group: politely, then by force. */
export async function stop(identity: ProcessIdentity): Promise<void> {
  if (!isRunning(identity)) return;
  signalOwn(identity, "SIGTERM");
  // One that was halted hears nothing before it goes on.
  signalOwn(identity, "SIGCONT");
  const deadline = Date.now() + stopGraceMilliseconds;
  // One that ends loses its variables, by which it is ours, a moment before its sockets and itself.
  while (processTable.facts(identity.pid)?.started === identity.started || isRunning(identity)) {
    if (Date.now() > deadline) signalOwn(identity, "SIGKILL");
    await sleep(50);
  }
}

/**
 * What a killed command has left behind: processes of this folder whose starter is gone.
 *
 * @param known those that are to stay.
 */
export function leftBehind(known: readonly ProcessIdentity[]): ProcessIdentity[] {
  const stay = new Set(known.map(({ pid }) => pid));
  const groups = new Set<number>();
  for (const { pid, group, value } of processTable.having(starterVariable)) {
    if (stay.has(group) || !isOurs(pid)) continue;
    const { pid: number, started } = JSON.parse(decodeURIComponent(value)) as ProcessIdentity;
    if (identify(number)?.started !== started) groups.add(group);
  }
  return [...groups].map(asGroup);
}

/** The command that runs an engine: it marks itself, and with it all that it starts, by the engine's number. */
export function asEngine(file: string, args: readonly string[]): [string, string[]] {
  return ["sh", ["-c", `${engineVariable}=$$ exec "$0" "$@"`, file, ...args]];
}

/** The engines of this folder and all that they have started; the value is the number of the engine. */
export function ofEngines(): Having[] {
  return processTable.having(engineVariable).filter(({ pid }) => isOurs(pid));
}

/** The providers, in groups of their own, of engines of this folder that were killed. */
export function orphans(): ProcessIdentity[] {
  const lost = ofEngines().filter(
    ({ value }) => processTable.variable(Number(value), engineVariable) !== value,
  );
  return [...new Set(lost.map(({ group }) => group))].map(asGroup);
}

/** Processes in words: "process 12, process 13". */
export function inWords(processes: readonly ProcessIdentity[]): string {
  return processes.map(({ pid }) => `process ${pid}`).join(", ");
}

function asGroup(group: number): ProcessIdentity {
  return identify(group) ?? { pid: group, started: "" };
}

/** Sends a signal to a process group whose number is known to be right. False if there is no such group. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}
