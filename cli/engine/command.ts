import { spawn } from "node:child_process";
import * as path from "node:path";

import { PulumiCommand } from "@pulumi/pulumi/automation";

import { asEngine, ofEngines, orphans, ownMarks, signalGroup, stop } from "../ownProcesses";
import type { Engine } from "./engine";

/** What a command of the CLI wrote. */
export interface Written {
  readonly stdout: string;
  readonly stderr: string;
}

/** A command of the CLI that failed, with what it wrote. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";

  constructor(
    args: readonly string[],
    /** Exit code or signal, in words. */
    readonly how: string,
    readonly written: Written,
  ) {
    super(`pulumi ${args.slice(0, 2).join(" ")}: ${how}\n${written.stderr}${written.stdout}`.trim());
  }
}

/** What the Automation API calls to run the CLI; it keeps the method to itself. */
type Run = (
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
  onOutput?: (text: string) => void,
  onError?: (text: string) => void,
  signal?: AbortSignal,
  /** What the command reads: a secret is not to be in its arguments. */
  input?: string,
) => Promise<Written>;

/** The CLI for the Automation API, in process groups of its own. */
export type EngineCommand = PulumiCommand & { run: Run };

/**
 * How long an engine that was told to stop may take to bring what is under way to its end, so that a command ends within
 * 10 s. What is lost where that does not suffice, the next run finds out.
 */
const stopMilliseconds = 6_000;

/** Processes of the engine that run now, by the number of their group. */
const running = new Set<number>();

/**
 * The CLI for the Automation API.
 *
 * A Ctrl-C in a terminal goes to every process of the foreground. The API's own would have the engine hear it twice,
 * from the terminal and from us, and end at once with its work half done. In a group of its own it hears it once.
 */
export async function engineCommand({ file, origin }: Engine): Promise<EngineCommand> {
  const root = origin === "path" ? {} : { root: path.dirname(path.dirname(file)) };
  const command = (await PulumiCommand.get({ ...root, skipVersionCheck: true })) as EngineCommand;
  command.run = (...args) => runInGroup(file, ...args);
  return command;
}

/** Ends what runs of the engine at once, and its plugins with it. */
export function killEngines(): void {
  for (const engine of running) kill(engine);
}

/** Ends an engine at once, and its plugins, which have groups of their own: they would go on with what nobody writes down. */
function kill(engine: number): void {
  const plugins = ofEngines().flatMap(({ value, group }) => (value === String(engine) ? [group] : []));
  for (const group of new Set([engine, ...plugins])) signalGroup(group, "SIGKILL");
}

function runInGroup(
  ...[file, args, cwd, env, onOutput, onError, signal, input]: [string, ...Parameters<Run>]
) {
  // An engine that is interrupted as it starts may not notice.
  if (signal?.aborted === true)
    return Promise.reject(new CommandFailed(args, "stopped before it began", { stdout: "", stderr: "" }));
  const own = path.isAbsolute(file) ? `${path.dirname(file)}${path.delimiter}` : "";
  const all = [...args, ...(args.includes("--non-interactive") ? [] : ["--non-interactive"])];
  const child = spawn(...asEngine(file, all), {
    cwd,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
    env: {
      ...process.env,
      ...env,
      PATH: `${own}${env["PATH"] ?? process.env["PATH"] ?? ""}`,
      PULUMI_AUTOMATION_API: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      ...ownMarks(false),
    },
  });
  // One that ends without having read it says why by itself.
  child.stdin.on("error", () => undefined).end(input);
  const written = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    written.stdout += text;
    onOutput?.(text);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    written.stderr += text;
    onError?.(text);
  });
  const group = child.pid;
  if (group !== undefined) running.add(group);
  // The engine then lets what is under way come to an end, and keeps what became of it.
  let force: NodeJS.Timeout | undefined;
  const interrupt = () => {
    child.kill("SIGINT");
    force = setTimeout(() => {
      if (group !== undefined) kill(group);
    }, stopMilliseconds);
  };
  signal?.addEventListener("abort", interrupt, { once: true });
  return new Promise<Written>((resolve, reject) => {
    child.once("error", (error) => {
      reject(new CommandFailed(args, error.message, written));
    });
    child.once("exit", (_, killed) => {
      // They would go on with what nobody writes down any more, and hold the ends of its pipes.
      if (killed !== null) void Promise.all(orphans().map(stop));
    });
    child.once("close", (code, killed) => {
      if (group !== undefined) running.delete(group);
      clearTimeout(force);
      signal?.removeEventListener("abort", interrupt);
      if (code === 0) resolve(written);
      else reject(new CommandFailed(args, killed ?? `exit code ${String(code)}`, written));
    });
  });
}
