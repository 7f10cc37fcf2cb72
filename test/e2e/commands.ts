import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { UserError } from "../../cli/errors";
import { projectDir } from "../../cli/paths";

/** What a command tells on a line of its own. */
export interface CommandEvent {
  readonly event: string;
  readonly step?: string;
  readonly part?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly state?: string;
  readonly detail?: string;
  readonly seconds?: number;
  readonly message?: string;
}

/** A command of the project that tells events. */
export type CommandName = "down" | "open" | "preview" | "promote" | "rollback" | "up";

/** The last event of `npm run up`. */
export interface UpEvent extends CommandEvent {
  readonly event: "up";
  readonly models: readonly { readonly name: string; readonly prediction?: { readonly value: unknown } }[];
}

/** What `npm run open` tells when all is open. */
interface OpenEvent extends CommandEvent {
  readonly event: "open";
  readonly addresses: readonly { readonly name: string; readonly url: string }[];
}

const shownErrorLines = 30;

/**
 * Runs one of the project's commands as its user does, `npm run NAME -- --json …`.
 *
 * @param onEvent hears of each event as it comes.
 * @param env variables beside those of this process. @default none
 * @returns all events.
 * @throws UserError it failed; with what it said.
 */
export async function npmRun(
  name: CommandName,
  args: readonly string[],
  onEvent: (event: CommandEvent) => void,
  env: Readonly<Record<string, string>> = {},
): Promise<CommandEvent[]> {
  return start(name, args, onEvent, env).ended;
}

/**
 * Opens one thing of the stack with `npm run open`, and ends that as Ctrl-C does when it has been used.
 *
 * @throws UserError it does not open, or does not end well.
 */
export async function withOpen<T>(what: string, stack: string, use: (url: string) => Promise<T>): Promise<T> {
  let child: ChildProcess | undefined;
  let ended: Promise<unknown> = Promise.resolve();
  const opened = await new Promise<OpenEvent>((resolve, reject) => {
    const running = start("open", [what, "--stack", stack], (event) => {
      if (event.event === "open") resolve(event as OpenEvent);
    });
    ({ child, ended } = running);
    running.ended.then(() => {
      reject(new Error(`npm run open -- ${what} ended by itself`));
    }, reject);
  });
  try {
    const [address] = opened.addresses;
    if (address === undefined) throw new Error(`npm run open -- ${what} opened nothing`);
    return await use(address.url);
  } finally {
    child?.kill("SIGINT");
    await ended;
  }
}

function start(
  name: CommandName,
  args: readonly string[],
  onEvent: (event: CommandEvent) => void,
  env: Readonly<Record<string, string>> = {},
): { readonly child: ChildProcess; readonly ended: Promise<CommandEvent[]> } {
  const child = spawn("npm", ["run", "--silent", name, "--", "--json", ...args], {
    cwd: projectDir,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const events: CommandEvent[] = [];
  const other: string[] = [];
  createInterface(child.stdout).on("line", (line) => {
    const event = eventOf(line);
    if (event === undefined) {
      other.push(line);
      return;
    }
    events.push(event);
    onEvent(event);
  });
  createInterface(child.stderr).on("line", (line) => other.push(line));
  const exit = new Promise<number | string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      resolve(code ?? signal ?? 1);
    });
  });
  const ended = exit.then((code) => {
    if (code === 0) return events;
    const said = events.flatMap(({ event, message }) => (event === "error" && message ? [message] : []));
    const reason = said.length > 0 ? said : other.slice(-shownErrorLines);
    throw new UserError(`npm run ${name} ended with ${code}: ${reason.join("\n")}`);
  });
  return { child, ended };
}

function eventOf(line: string): CommandEvent | undefined {
  try {
    const value = JSON.parse(line) as CommandEvent | null;
    return typeof value?.event === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A finished step of a command, as a line for people; undefined for all other events. */
export function stepLine({
  event,
  step = "",
  state,
  detail = "",
  seconds,
}: CommandEvent): string | undefined {
  if (event !== "step" || seconds === undefined) return undefined;
  const mark = state === "done" ? "" : ` ${state ?? ""}`;
  return `  ${step.padEnd(28)} ${seconds.toFixed(1).padStart(6)} s${mark}  ${detail}`;
}
