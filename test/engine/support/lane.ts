import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";

import { parse, stringify } from "yaml";

import { locksOf } from "../../../cli/engine/locks";
import { projectDir } from "../../../cli/paths";
import { Behaviour } from "../../standins/behaviour";
import { MemoryCluster } from "../../standins/cluster";
import { Timeline } from "../../standins/timeline";
import { owner } from "./owner";
import { Program } from "./program";
import type { Options, Order, Outcome, State } from "./protocol";
import { Providers } from "./providers";
import type { Setting } from "./setting";

const project = "mlplatform";

/** A stack, its state and its cluster at one moment. */
export interface Snapshot {
  readonly folder: string;
  readonly stack: string;
  readonly cluster: MemoryCluster;
}

/**
 * Everything that one test at a time works with: a cluster, the providers, the program, and a backend with a stack.
 * Lanes share nothing, so that tests run side by side.
 */
export class Lane {
  cluster: MemoryCluster;
  timeline: Timeline;
  /** The project's copy, with the backend in it. */
  folder: string;
  private stack = "";
  readonly providers: Providers;
  readonly program: Program;
  private readonly scratch = mkdtempSync(path.join(tmpdir(), "mlplatform-lane-"));
  private runs = 0;

  /** @param program the module of the program, from the project's folder. */
  constructor(setting: Setting, program = "test/engine/support/decided.ts") {
    this.cluster = new MemoryCluster(new Behaviour());
    this.timeline = new Timeline(this.cluster.behaviour);
    this.folder = this.scratch;
    this.providers = new Providers(() => this);
    this.program = new Program(path.join(projectDir, program), setting.engineRoot, () => this.cluster);
  }

  /** Begins anew: an empty cluster, an empty backend, the stack made from its file. */
  async begin(stack: string): Promise<void> {
    this.fresh();
    this.stack = stack;
    mkdirSync(path.join(this.folder, "state"), { recursive: true });
    copySettings(stack, this.folder);
    expectOk(await this.run("init"));
  }

  /** Keeps what is there, to begin from it again, in any lane. */
  snapshot(): Snapshot {
    this.runs += 1;
    const folder = path.join(this.scratch, String(this.runs));
    cpSync(this.folder, folder, { recursive: true });
    return { folder, stack: this.stack, cluster: this.cluster.copy(new Behaviour()) };
  }

  /** Begins anew where a snapshot was made. */
  beginFrom(snapshot: Snapshot): void {
    this.fresh();
    this.stack = snapshot.stack;
    this.cluster = snapshot.cluster.copy(new Behaviour());
    this.timeline = new Timeline(this.cluster.behaviour);
    cpSync(snapshot.folder, this.folder, { recursive: true });
  }

  /**
   * Changes an option of the model's training, so that another Job takes the place of the one that is there, and with it
   * the model, as another decision would.
   */
  retrain(): void {
    this.changeModels({ startupSeconds: 130 }, { "n-estimators": 150 });
  }

  /**
   * Changes the models in the stack's file.
   *
   * @param more what each model has besides.
   * @param parameters of its training.
   */
  changeModels(more: object, parameters: object): void {
    this.changeSetting("models", (models) =>
      (models as readonly { readonly training: object }[]).map((model) => ({
        ...model,
        ...more,
        training: { ...model.training, parameters },
      })),
    );
  }

  /** Changes a key of the stack's file. */
  changeSetting(key: string, change: (before: unknown) => unknown): void {
    const file = path.join(this.folder, `Pulumi.${this.stack}.yaml`);
    const { config, ...settings } = parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> };
    const name = `${project}:${key}`;
    writeFileSync(file, stringify({ ...settings, config: { ...config, [name]: change(config[name]) } }));
  }

  private fresh(): void {
    this.cluster = new MemoryCluster(new Behaviour());
    this.timeline = new Timeline(this.cluster.behaviour);
    this.runs += 1;
    this.folder = path.join(this.scratch, String(this.runs));
  }

  /** Does something with the stack. */
  async run(action: Order["action"], options: Options = {}): Promise<Outcome> {
    const env = {
      ...engineEnv,
      PULUMI_BACKEND_URL: this.backendUrl(),
      PULUMI_HOME: path.join(this.scratch, "home"),
    };
    const providers = await this.providers.running();
    return this.program.order({
      action,
      stack: this.stack,
      workDir: this.folder,
      options,
      env: { ...env, PULUMI_DEBUG_PROVIDERS: providers },
    });
  }

  /** Does something with the stack that must succeed. */
  async must(action: Order["action"], options: Options = {}): Promise<Outcome> {
    return expectOk(await this.run(action, options));
  }

  /** The state as `pulumi stack export --show-secrets` gives it. */
  async state(): Promise<State> {
    return (await this.must("export")).state ?? {};
  }

  /** The state as it lies on the disk, secrets encrypted; cheaper than `state`. */
  storedState(): State {
    const file = path.join(this.folder, "state", ".pulumi", "stacks", project, `${this.stack}.json`);
    const stored = JSON.parse(readFileSync(file, "utf8")) as { checkpoint: { latest?: State } };
    return stored.checkpoint.latest ?? {};
  }

  /** Every file of the backend, and the settings. */
  files(): Buffer[] {
    const entries = readdirSync(this.folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(path.join(entry.parentPath, entry.name)));
  }

  /** The number of the engine's process that holds the stack; undefined if none does. */
  enginePid(): number | undefined {
    return locksOf(this.stack, { backendUrl: this.backendUrl(), project })[0]?.pid;
  }

  async dispose(): Promise<void> {
    await Promise.all([this.program.kill(), this.providers.kill()]);
    rmSync(this.scratch, { recursive: true, force: true });
  }

  private backendUrl(): string {
    return pathToFileURL(path.join(this.folder, "state")).href;
  }
}

const engineEnv = {
  PULUMI_CONFIG_PASSPHRASE: "correct horse battery staple",
  PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  PULUMI_SKIP_UPDATE_CHECK: "true",
  PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK: "true",
};

/** The outcome, if it is good. @throws Error it is not; with all that the command wrote. */
function expectOk(outcome: Outcome): Outcome {
  if (!outcome.ok) throw new Error(`${outcome.error ?? ""}\n${outcome.text}`);
  return outcome;
}

/** Copies the project's and the stack's settings to where the engine may write into them. */
function copySettings(stack: string, folder: string): void {
  const read = (name: string) =>
    parse(readFileSync(path.join(projectDir, name), "utf8")) as Record<string, unknown>;
  const write = (name: string, content: object) => {
    writeFileSync(path.join(folder, name), stringify(content));
  };
  // No language host is there to run the program: this process does.
  write("Pulumi.yaml", { ...read("Pulumi.yaml"), runtime: "nodejs" });
  const settings = read(`Pulumi.${stack}.yaml`);
  // Encrypted for another passphrase than the tests'.
  for (const key of ["encryptionsalt", "secretsprovider", "encryptedkey"])
    Reflect.deleteProperty(settings, key);
  const config = { ...(settings["config"] as object), [`${project}:owner`]: { id: owner, state: "here" } };
  write(`Pulumi.${stack}.yaml`, { ...settings, config });
}
