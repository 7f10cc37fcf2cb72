import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, constants, mkdirSync, openSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { UserError } from "./errors";
import { type ProcessIdentity, identify, ownMarks, signalGroup } from "./ownProcesses";
import { shown } from "./paths";

/** What to run, where its output goes. */
export interface Command {
  /** The program in words, for messages: "MLflow server". */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  /** All of its variables, but for the marks by which it is known. @default those of this process */
  readonly env?: Readonly<NodeJS.ProcessEnv>;
  /** Folder to run in. @default this process's */
  readonly cwd?: string;
  /** File that takes its output; written anew. */
  readonly log: string;
  /** Whether the next command stops it, if this one was killed: else it comes to its end. @default false */
  readonly passing?: boolean;
}

/** A command and the services that it has started have this time each, one after the other. */
const stopGraceMilliseconds = 4_000;
const shownLogLines = 12;

/** A service has ended by itself before it answered. */
export class ServiceEnded extends UserError {
  override readonly name = "ServiceEnded";
}

/** A service in the background: a process in a group of its own, that outlives this one unless it is stopped. */
export class Service {
  private exit: string | undefined;

  private constructor(
    readonly command: Command,
    readonly identity: ProcessIdentity,
    child: ChildProcess,
  ) {
    child.once("exit", (code, signal) => {
      this.exit = howEnded(code, signal);
    });
    child.unref();
  }

  /** Starts the command. @throws UserError there is no such program. */
  static async start(command: Command): Promise<Service> {
    const child = launch({ ...command, passing: true });
    await started(command, child);
    const pid = child.pid ?? 0;
    // One that has ended already has no start time any more; waiting for its answer tells how it ended.
    return new Service(command, identify(pid) ?? { pid, started: "" }, child);
  }

  /**
   * Waits until the service answers.
   *
   * @param answers asks it once; false or an error means not yet.
   * @throws UserError it ended, or did not answer in time; with the last lines of its log.
   */
  async ready(answers: () => Promise<boolean>, timeoutSeconds: number, signal: AbortSignal): Promise<void> {
    const deadline = Date.now() + timeoutSeconds * 1000;
    while (!(await answers().catch(() => false))) {
      if (this.exit !== undefined)
        throw new ServiceEnded(stopped(this.command, `it ended (${this.exit})`).message);
      signal.throwIfAborted();
      if (Date.now() > deadline) throw stopped(this.command, `it does not answer after ${timeoutSeconds} s`);
      await sleep(100);
    }
  }
}

/** The commands that run. */
const running = new Set<number>();

/** Ends the commands that run at once, for a user who cannot wait. */
export function killRunning(): void {
  for (const group of running) signalGroup(group, "SIGKILL");
}

/**
 * Runs a command to its end.
 *
 * @param onLine is given, every half second, the last line that it has written to standard error.
 * @returns what it wrote to standard output.
 * @throws UserError it failed; with the last lines of its log.
 */
export async function run(
  command: Command,
  signal: AbortSignal,
  onLine?: (line: string) => void,
): Promise<string> {
  signal.throwIfAborted();
  const child = launch(command, "pipe");
  const { pid } = child;
  if (pid !== undefined) running.add(pid);
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const follow = setInterval(() => {
    const [line] = lastLines(command.log, 1);
    if (line !== undefined) onLine?.(line);
  }, 500);
  let killer: NodeJS.Timeout | undefined;
  const abort = () => {
    if (pid === undefined) return;
    signalGroup(pid, "SIGTERM");
    killer = setTimeout(() => {
      signalGroup(pid, "SIGKILL");
    }, stopGraceMilliseconds);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    await started(command, child);
    const [code, killed] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      child.once("close", (...end) => {
        resolve(end);
      });
    });
    signal.throwIfAborted();
    if (code !== 0) throw stopped(command, `it failed (${howEnded(code, killed)})`);
    return output;
  } finally {
    clearInterval(follow);
    clearTimeout(killer);
    if (pid !== undefined) running.delete(pid);
    signal.removeEventListener("abort", abort);
  }
}

function howEnded(code: number | null, signal: NodeJS.Signals | null): string {
  // Nobody here kills what has not been told to stop before.
  if (signal === "SIGKILL")
    return "SIGKILL: somebody has killed it, or the memory of this machine did not suffice";
  return signal ?? `exit code ${String(code)}`;
}

/** The error for a command that ended as it should not, with what its log says last. */
function stopped(command: Command, how: string): UserError {
  return new UserError(`${command.name}: ${how}. ${logExcerpt(command.log)}`);
}

/** What a log says last, and where it lies: the end of an error about whoever wrote it. */
export function logExcerpt(log: string): string {
  const lines = lastLines(log, shownLogLines).map((line) => `    ${line}`);
  const said = lines.length > 0 ? `Its last lines:\n${lines.join("\n")}` : "It wrote nothing.";
  return `${said}\n  Log: ${shown(log)}`;
}

/** Starts a command in a process group of its own: a Ctrl-C reaches it through us, and its children with it. */
function launch(command: Command, output: "log" | "pipe" = "log"): ChildProcess {
  mkdirSync(path.dirname(command.log), { recursive: true });
  // A pipe in its place that nobody reads would be waited for.
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NONBLOCK } = constants;
  const log = openSync(command.log, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK);
  try {
    return spawn(command.file, command.args, {
      detached: true,
      stdio: ["ignore", output === "log" ? log : "pipe", log],
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
      env: { ...(command.env ?? process.env), ...ownMarks(command.passing ?? false) },
    });
  } finally {
    closeSync(log);
  }
}

function started(command: Command, child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) => {
      reject(new UserError(`${command.name}: cannot start ${command.file}: ${error.message}`));
    });
  });
}

/** The last lines of a log that are not blank; none if there is no log. */
export function lastLines(file: string, count: number): string[] {
  try {
    const lines = readFileSync(file, "utf8").split(/[\r\n]+/);
    return lines.filter((line) => line.trim() !== "").slice(-count);
  } catch {
    return [];
  }
}
