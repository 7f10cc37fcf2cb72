import { spawn } from "node:child_process";
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
export type CommandName = "down" | "promote" | "rollback" | "up";

/** The last event of `npm run up`. */
export interface UpEvent extends CommandEvent {
  readonly event: "up";
  readonly models: readonly { readonly name: string; readonly url?: string; readonly prediction?: unknown }[];
}

const shownErrorLines = 30;

/**
 * Runs one of the project's commands as its user does, `npm run NAME -- --json …`.
 *
 * @param onEvent hears of each event as it comes.
 * @returns all events.
 * @throws UserError it failed; with what it said.
 */
export async function npmRun(
  name: CommandName,
  args: readonly string[],
  onEvent: (event: CommandEvent) => void,
): Promise<CommandEvent[]> {
  const child = spawn("npm", ["run", "--silent", name, "--", "--json", ...args], {
    cwd: projectDir,
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
  const code = await new Promise<number | string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exit, signal) => {
      resolve(exit ?? signal ?? 1);
    });
  });
  if (code === 0) return events;
  const said = events.flatMap(({ event, message }) => (event === "error" && message ? [message] : []));
  const reason = said.length > 0 ? said : other.slice(-shownErrorLines);
  throw new UserError(`npm run ${name} ended with ${code}: ${reason.join("\n")}`);
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
