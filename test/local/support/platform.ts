import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { type LocalState, servicesOf } from "../../../cli/local/state";
import { homeDir, projectDir } from "../../../cli/paths";
import { processTable } from "../../../cli/processTable";

/** An event of `--json`, loosely typed: tests say what they expect of it. */
export type Event = Readonly<Record<string, unknown>>;

/** What `up` tells of a model. */
export interface ModelUp {
  readonly name: string;
  readonly version: string;
  readonly testScore: number;
  readonly prediction: {
    readonly value: number;
    readonly metrics: readonly { key: string; value: number }[];
  };
  readonly urls: Readonly<Record<"predict" | "metrics" | "grpc", string>>;
}

/** A finished command. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of standard output that are JSON. */
  readonly events: readonly Event[];
}

/** A local target of its own, in a temporary folder; the Python environments are the project's. */
export class TestPlatform {
  readonly home = mkdtempSync(path.join(tmpdir(), "mlplatform-test-"));
  private readonly children: ChildProcess[] = [];

  private readonly project: string;

  /** @param options `project` is where the program is. @default this project */
  constructor(options: { shareEnvironments?: boolean; project?: string } = {}) {
    this.project = options.project ?? projectDir;
    if (options.shareEnvironments ?? true) {
      const environments = path.join(homeDir(), "env");
      mkdirSync(path.join(this.home, "env"));
      for (const name of readdirSync(environments))
        symlinkSync(path.join(environments, name), path.join(this.home, "env", name));
    }
  }

  /** Starts a command of the CLI. */
  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCommand {
    return this.node(["cli/main.ts", ...args], env);
  }

  /** Runs another program of the project to its end. */
  script(file: string): Promise<Finished> {
    return this.node([file]).finished();
  }

  private node(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCommand {
    const child = spawn(process.execPath, ["--require", "./load.cjs", ...args], {
      cwd: this.project,
      env: {
        ...process.env,
        MLPLATFORM_HOME: this.home,
        // No cluster, whatever this machine has.
        KUBECONFIG: path.join(this.home, "no-kubeconfig"),
        INIT_CWD: this.home,
        NO_COLOR: "1",
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.children.push(child);
    return new RunningCommand(child);
  }

  /** Runs a command of the CLI to its end. */
  run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
    return this.start(args, env).finished();
  }

  /** The state file: what runs, by name. */
  state(): Readonly<Record<string, { identity: { pid: number } }>> {
    const file = path.join(this.home, "local", "state.json");
    if (!existsSync(file)) return {};
    const { services } = JSON.parse(readFileSync(file, "utf8")) as { services: LocalState };
    return Object.fromEntries(servicesOf(services));
  }

  /** The processes of the state file: service name to process number. */
  services(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(this.state()).map(([name, { identity }]) => [name, identity.pid]),
    );
  }

  /** Command lines of the processes that work in this folder: what a command has left behind. */
  processes(): string[] {
    return runningCommandLines().filter((line) => line.includes(this.home));
  }

  /** The processes that were started for this folder, and what they have started. */
  started(): number[] {
    const folder = encodeURIComponent(realpathSync(this.home));
    const all = processTable.having("MLPLATFORM_STARTED_FOR");
    return all.filter(({ value }) => value === folder).map(({ pid }) => pid);
  }

  /** Stops and removes everything. */
  async dispose(): Promise<void> {
    for (const child of this.children) child.kill("SIGKILL");
    await this.run(["down"]);
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** A command under way. */
export class RunningCommand {
  private stdout = "";
  private stderr = "";
  private readonly closed: Promise<number | null>;

  constructor(readonly child: ChildProcess) {
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.closed = once(child, "close").then(([code]) => code as number | null);
  }

  /** Waits for the first event that fits; throws if the command ends without it. */
  async event(fits: (event: Event) => boolean): Promise<Event> {
    const over = this.closed.then(() => true);
    for (;;) {
      const ended = await Promise.race([over, sleep(20, false)]);
      const found = jsonLines(this.stdout).find(fits);
      if (found !== undefined) return found;
      if (ended) throw new Error(`the command ended without the event:\n${this.stdout}\n${this.stderr}`);
    }
  }

  async finished(): Promise<Finished> {
    const code = await this.closed;
    return { code, stdout: this.stdout, stderr: this.stderr, events: jsonLines(this.stdout) };
  }
}

/** Whether a step event tells this state of this step. */
export function stepEvent(step: string, state: string): (event: Event) => boolean {
  return (event) => event["event"] === "step" && event["step"] === step && event["state"] === state;
}

/** What a step said last when it was done. */
export function detailOf(events: readonly Event[], step: string): unknown {
  return events.find(stepEvent(step, "done"))?.["detail"];
}

/** The last event of this kind. */
export function lastEvent(events: readonly Event[], kind: string): Event {
  const found = events.filter((event) => event["event"] === kind).at(-1);
  if (found === undefined) throw new Error(`there is no event ${kind} in ${JSON.stringify(events)}`);
  return found;
}

/** The one model of the last `up`. */
export function modelUp(events: readonly Event[]): ModelUp {
  const [model] = lastEvent(events, "up")["models"] as [ModelUp];
  return model;
}

function jsonLines(text: string): Event[] {
  // The last part is a line only when it ends as one.
  return text
    .split("\n")
    .slice(0, -1)
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Event);
}

function runningCommandLines(): string[] {
  const { stdout } = spawnSync("ps", ["-eo", "args="], { encoding: "utf8" });
  return stdout.split("\n");
}
