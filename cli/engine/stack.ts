import { existsSync, rmSync } from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";

import {
  type EngineEvent,
  LocalWorkspace,
  type PulumiFn,
  Stack,
  type UpOptions,
} from "@pulumi/pulumi/automation";

import { allCharts } from "../../pins";
import { UserError, messageOf } from "../errors";
import { project, projectDir } from "../paths";
import { recordStack } from "../plan/plan";
import type { RecordedResource } from "../plan/recording";
import type { Step } from "../progress";
import { type Backend, chooseBackend } from "./backend";
import { CommandFailed, type EngineCommand, engineCommand } from "./command";
import type { Engine } from "./engine";
import { BuildLogs, mayBeShown, plainMessage } from "./events";
import { StackBusy, folderOf } from "./locks";
import { isExact, ownerOf } from "./owner";
import { referenceOf } from "./reference";
import { type Recovery, type RecoverySettings, type ReleaseRecords, recover } from "./recover";
import { type Overrides, settingsFile, shareSalt, stackDir, writeSettings } from "./settings";
import { type Deployment, exportState } from "./state";
import { type Look, declaredObjects } from "./strays";

/** How many resources were created, updated, the same, … */
export type Changes = Readonly<Record<string, number>>;

/** What of a stack lies in its cluster. */
export interface InCluster {
  readonly records: ReleaseRecords;
  readonly look: Look;
}

/** What a run of the engine is told, and tells. */
export interface RunOptions {
  readonly signal: AbortSignal;
  /** Hears of each step, as it begins and ends. */
  readonly onEvent?: (event: EngineEvent) => void;
  /** Hears what the engine would write in a terminal; secrets are masked. */
  readonly onOutput?: (text: string) => void;
}

/** The engine came to no good end; the message has what it said, by resource. */
export class EngineFailed extends UserError {
  override readonly name = "EngineFailed";
}

/** A run that was killed has left an engine, perhaps, which finishes what it has begun. */
const patienceSeconds = 120;

/** A stack of the project's program, and the engine that changes it. */
export class EngineStack {
  private constructor(
    readonly name: string,
    private readonly stack: Stack,
    private readonly command: EngineCommand,
    readonly backend: Backend,
  ) {}

  /**
   * Opens a stack; nothing else is changed by that.
   *
   * @param overrides settings that hold on this machine only; undefined leaves those of the last run.
   * @param must whether it is made if there is none, or must be there.
   * @throws UserError the backend cannot be reached, the passphrase does not fit, or it is not there and must be.
   */
  static async open(
    name: string,
    engine: Engine,
    overrides: Overrides | undefined,
    must: "made" | "there" = "made",
  ): Promise<EngineStack> {
    const backend = chooseBackend(name);
    const reference = referenceOf(name, backend);
    const command = await engineCommand(engine);
    const envVars = { ...backend.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
    // Before anything is written of one that is not there.
    if (must === "there") await find(name, command, backend, envVars);
    if (overrides !== undefined) writeSettings(name, overrides, ownerOf(name, backend, must));
    if (must === "made") await initialise(name, command, backend, envVars);
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- loading it takes a second, which only a run is worth.
    const program: PulumiFn = () => (require("../../index") as PulumiFn)();
    const workspace = await LocalWorkspace.create({
      workDir: projectDir,
      pulumiCommand: command,
      envVars,
      program,
    });
    // These run the CLI once more each, to no end: every command names its stack, and events tell the rest.
    workspace.selectStack = () => Promise.resolve();
    workspace.stackOutputs = () => Promise.resolve({});
    const stack = await Stack.select(reference, workspace);
    stack.info = () => Promise.resolve(undefined);
    return new EngineStack(name, stack, command, backend);
  }

  /**
   * Makes what the program says.
   *
   * @param options `refresh` looks first what of the state is still so: what was deleted or changed by hand is then put
   * back. @default false; `replace` makes resources anew, by URN. @default none
   * @throws EngineFailed
   */
  up(
    options: RunOptions & { readonly refresh?: boolean; readonly replace?: readonly string[] },
  ): Promise<Changes> {
    const { refresh = false, replace = [] } = options;
    return this.run(options, (shared) => this.stack.up({ ...shared, refresh, replace: [...replace] }));
  }

  /**
   * What `up` would change.
   *
   * @param options `refresh` looks first what of the state is still so. @default false; `exclude` leaves resources out, by
   * URN. @default none
   * @throws EngineFailed
   */
  preview(
    options: RunOptions & {
      readonly diff?: boolean;
      readonly refresh?: boolean;
      readonly exclude?: readonly string[];
    },
  ): Promise<Changes> {
    const { diff = false, refresh = false, exclude = [] } = options;
    return this.run(options, (shared) =>
      this.stack.preview({ ...shared, diff, refresh, exclude: [...exclude] }),
    );
  }

  /** Compares the state with the cluster, and takes over what differs. @throws EngineFailed */
  refresh(options: RunOptions): Promise<Changes> {
    return this.run(options, (shared) => this.stack.refresh(shared));
  }

  /**
   * Removes everything, or everything that is not protected.
   *
   * @throws EngineFailed
   */
  destroy(options: RunOptions & { readonly keepProtected: boolean }): Promise<Changes> {
    const { keepProtected: excludeProtected } = options;
    return this.run(options, (shared) => this.stack.destroy({ ...shared, excludeProtected }));
  }

  /** Lets what holds data be removed. @param urns which resources. @default all */
  async unprotect(urns?: readonly string[]): Promise<void> {
    for (const which of urns ?? ["--all"]) await this.cli(["state", "unprotect", which, "--yes"]);
  }

  /**
   * Forgets the stack, and what the project's own backend has kept of its earlier states: they have the passwords. The
   * stack's file stays: left to itself, the CLI would delete that too.
   *
   * @param resources also those that it has, wherever they are. @default only an empty stack
   */
  async forget({ resources = false } = {}): Promise<void> {
    await this.cli(["stack", "rm", "--yes", "--preserve-config", ...(resources ? ["--force"] : [])]);
    if (!this.backend.own) return;
    const state = ownState(this.name, this.backend);
    const copies = [`${state}.bak`, `${state}.bak.attrs`, ownBackups(this.name, this.backend)];
    // With them goes the salt, or the passphrase would count as needed for ever.
    for (const copy of [...copies, settingsFile(this.name)]) rmSync(copy, { recursive: true, force: true });
  }

  /**
   * Writes a secret into the stack's own file, encrypted.
   *
   * @param key as `pulumi config set --path` takes it: `mlplatform:database.password`.
   * @throws CommandFailed the passphrase does not fit.
   */
  async setSecret(key: string, value: string): Promise<void> {
    shareSalt(this.name);
    const file = path.join(projectDir, `Pulumi.${this.name}.yaml`);
    const args = [
      "config",
      "set",
      "--secret",
      "--path",
      key,
      "--config-file",
      file,
      "--stack",
      this.stack.name,
    ];
    const { envVars } = this.stack.workspace;
    await this.command.run(args, projectDir, envVars, undefined, undefined, undefined, value);
  }

  /** What the state says; secrets encrypted. */
  async state(): Promise<Deployment> {
    return (await exportState(this.stack)).deployment;
  }

  /**
   * Settles what an interrupted run has left.
   *
   * @param declared what the program declares, if that is known already.
   * @throws StackBusy another run is at work.
   */
  recover(
    { records, look }: InCluster,
    next: "up" | "destroy",
    step: Step,
    declared?: readonly RecordedResource[],
  ): Promise<Recovery> {
    const names = [...new Set(allCharts.map((chart) => chart.name))];
    const { name, backend } = this;
    const configFile = settingsFile(name);
    const lock = { backendUrl: backend.url, project, patience: patienceSeconds };
    const settings: RecoverySettings = {
      ...lock,
      ...{ next, charts: names, configFile, look },
      owner: isExact(backend) ? ownerOf(name, backend).id : undefined,
      declared: async () => {
        // A removal needs no program; one that is wrong by now must not stand in its way.
        const resources = declared ?? (await recordStack(name).catch(() => undefined))?.resources ?? [];
        return declaredObjects(resources);
      },
    };
    return recover(this.stack, records, settings, step);
  }

  private async run(options: RunOptions, start: (shared: UpOptions) => Promise<unknown>): Promise<Changes> {
    const failures: string[] = [];
    const builds = new BuildLogs();
    let changes: Changes = {};
    const onEvent = (event: EngineEvent) => {
      if (!mayBeShown(event)) return;
      const { diagnosticEvent: said, summaryEvent: summary } = event;
      if (said?.severity === "error")
        failures.push(`${failure(said.urn, said.message)}${builds.excerpt(said.urn)}`);
      else if (said !== undefined) builds.add(said.urn, said.message);
      if (summary !== undefined) changes = summary.resourceChanges;
      options.onEvent?.(event);
    };
    const { signal, onOutput } = options;
    try {
      const configFile = settingsFile(this.name);
      const output = onOutput === undefined ? {} : { onOutput, onError: onOutput };
      await start({ signal, onEvent, ...output, color: "never", configFile });
    } catch (error) {
      const forced = signal.aborted && error instanceof CommandFailed && error.how === "SIGKILL";
      // A lock on this machine is known for that of an engine which has ended; of any other one nobody would know.
      if (forced && folderOf(this.backend.url) === undefined)
        await this.stack.cancel().catch(() => undefined);
      signal.throwIfAborted();
      throw engineError(this.name, error, failures);
    }
    return changes;
  }

  private async cli(args: readonly string[]): Promise<void> {
    const { workDir, envVars } = this.stack.workspace;
    await this.command.run([...args, "--stack", this.stack.name], workDir, envVars);
  }
}

/** Makes the stack in its backend, unless it is there. */
async function initialise(
  name: string,
  command: EngineCommand,
  backend: Backend,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  if (backend.own && existsSync(ownState(name, backend))) return;
  try {
    // Where the settings for the engine lie, because a new stack's salt is written beside them.
    await command.run(["stack", "init", referenceOf(name, backend), "--no-select"], stackDir(name), env);
  } catch (error) {
    if (/stack .*already exists/.test(messageOf(error))) return;
    throw engineError(name, error, []);
  }
}

/** Sees that the stack is in its backend. */
async function find(
  name: string,
  command: EngineCommand,
  backend: Backend,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const folder = folderOf(backend.url);
  try {
    // In a folder that has no state the CLI would begin one by looking.
    if (folder === undefined || existsSync(path.join(folder, "stacks"))) {
      await command.run(["stack", "--show-name", "--stack", referenceOf(name, backend)], projectDir, env);
      return;
    }
  } catch (error) {
    if (!messageOf(error).includes("no stack named")) throw engineError(name, error, []);
  }
  const where = folder === undefined ? ownerOf(name, backend).state : path.dirname(folder);
  throw new UserError(
    `there is no stack ${name} in ${where}: if its state is elsewhere, set PULUMI_BACKEND_URL to that; else bring it up ` +
      `first, npm run up -- --stack ${name}.`,
  );
}

function ownState(name: string, { url }: Backend): string {
  return path.join(fileURLToPath(url), ".pulumi", "stacks", project, `${name}.json`);
}

function ownBackups(name: string, { url }: Backend): string {
  return path.join(fileURLToPath(url), ".pulumi", "backups", project, name);
}

function engineError(stack: string, error: unknown, failures: readonly string[]): unknown {
  if (!(error instanceof CommandFailed)) return error;
  const { stderr } = error.written;
  if (/currently locked|Another update is currently in progress/.test(stderr))
    return new StackBusy(
      `another run is changing stack ${stack}. Wait until it has ended, and run this again.`,
    );
  if (/incorrect passphrase|passphrase must be set/.test(stderr))
    return new UserError(
      `the passphrase that is here does not open the state of stack ${stack}: set PULUMI_CONFIG_PASSPHRASE_FILE (or ` +
        `PULUMI_CONFIG_PASSPHRASE) to that of whoever has brought it up.`,
    );
  const told = [...new Set(failures)].filter((message) => !/^update failed$/i.test(message));
  const written = stderr.trim().replace(/^error: /, "");
  return new EngineFailed(
    told.length > 0 ? told.join("\n") : written || `Pulumi's engine ended by itself (${error.how})`,
  );
}

/** A message of the engine with the name of its resource; what is about the stack itself goes without. */
function failure(urn: string | undefined, message: string): string {
  const [, , type, name = ""] = urn?.split("::") ?? [];
  const plain = plainMessage(message);
  return name === "" || type === "pulumi:pulumi:Stack" ? plain : `${name}: ${plain}`;
}
