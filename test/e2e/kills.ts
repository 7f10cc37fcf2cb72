import { type ChildProcess, spawn } from "node:child_process";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { V1Job } from "@kubernetes/client-node";

import type { Cluster } from "../../cli/cluster/cluster";
import { HelmReleases } from "../../cli/cluster/releases";
import { chooseBackend } from "../../cli/engine/backend";
import { locksOf } from "../../cli/engine/locks";
import { ofEngines } from "../../cli/ownProcesses";
import { project, projectDir } from "../../cli/paths";
import { namespaceNames } from "../../components/capabilities";
import { manifests } from "../../config/manifests";
import { type Random, randomFrom } from "../engine/support/random";
import { leftovers } from "./leftovers";
import { until } from "./pods";
import type { Providers } from "./providers";
import { Served } from "./served";
import type { Steps } from "./steps";
import { type TestStack, modelName } from "./testStack";

const victims = ["program", "engine", "providers"] as const;
type Victim = (typeof victims)[number];

/** What is done to the stack: brought up from nothing, trained anew, upgraded, removed. */
type Action = "up" | "retrain" | "upgrade" | "down";

/** Seconds that a command of each kind takes undisturbed; the kill falls somewhere in them. */
const usual: Readonly<Record<Action, number>> = { up: 50, retrain: 20, upgrade: 18, down: 30 };
/** So many kills, and then everything is removed. */
const lifeOfKills = 10;
const patienceMilliseconds = 420_000;

/** A command of the project as it runs. */
interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly ok: boolean; readonly said: string }>;
}

/**
 * Kills the program, its engine or its providers at random moments: the same command must then finish, with nothing made
 * twice and no process left, and the model must answer.
 */
export class Kills {
  private readonly random: Random;
  private readonly served: Served;
  private isUp = false;
  private trees = 100;
  private workers = 1;

  constructor(
    private readonly cluster: Cluster,
    private readonly stack: TestStack,
    private readonly providers: Providers,
    private readonly steps: Steps,
    seed: number,
  ) {
    this.random = randomFrom(seed);
    this.served = new Served(cluster);
  }

  /** @throws Error a kill was not survived; it has been told. */
  async run(count: number): Promise<void> {
    for (let number = 1; number <= count; number += 1) {
      if (number % lifeOfKills === 1 && this.isUp) await this.steps.run("down", () => this.end());
      const action = this.isUp ? this.pick(["retrain", "retrain", "upgrade", "down"] as const) : "up";
      const victim = this.pick(victims);
      const seconds = this.random() * usual[action];
      const what = `${number}. ${victim} killed ${seconds.toFixed(1)} s after the start of ${action}`;
      await this.steps.run(what, () => this.survive(action, victim, seconds));
    }
  }

  /** Takes the stack down. @returns that nothing is left. @throws Error something is. */
  async end(): Promise<string> {
    await this.finish("down");
    this.isUp = false;
    await until("nothing is left", async () => (await leftovers(this.cluster)).length === 0);
    return "nothing is left";
  }

  private async survive(action: Action, victim: Victim, seconds: number): Promise<string> {
    if (action === "retrain") this.trees += 10;
    if (action === "upgrade") this.workers = 3 - this.workers;
    this.stack.write(
      { [modelName]: { "n-estimators": this.trees } },
      { [`${project}:tracking`]: { workers: this.workers } },
    );
    const command = action === "down" ? "down" : "up";
    const running = this.start(command);
    const first = await Promise.race([running.ended, sleep(seconds * 1000).then(() => undefined)]);
    if (first === undefined) await this.kill(victim, running.child);
    const { ok } = await running.ended;
    const began = performance.now();
    const { said } = await this.finish(command);
    this.isUp = command === "up";
    const again = `the same command ended well after ${((performance.now() - began) / 1000).toFixed(0)} s`;
    const settled = /settled what an interrupted run had left \(\d+ resources\)/.exec(said)?.[0];
    const facts = [ok ? "it had ended before" : again, settled, this.isUp ? await this.check() : undefined];
    return facts.filter((fact) => fact !== undefined).join("; ");
  }

  private async check(): Promise<string> {
    const releases = new HelmReleases(this.cluster);
    const all = await Promise.all(Object.values(namespaceNames).map((name) => releases.list(name)));
    const undeployed = all.flat().filter(({ status }) => status !== "deployed");
    const jobs = await this.cluster.list<V1Job>(`/apis/batch/v1/namespaces/${namespaceNames.models}/jobs`);
    if (jobs.length !== manifests.length || undeployed.length > 0)
      throw new Error(
        `${jobs.length} trainings of ${manifests.length} models; ${undeployed.map(({ name, status }) => `${name} is ${status}`).join()}`,
      );
    const plugins = ofEngines();
    if (plugins.length > 0) throw new Error(`left: processes ${plugins.map(({ pid }) => pid).join(", ")}`);
    return this.served.checkAnswers();
  }

  private async finish(command: "up" | "down"): Promise<{ readonly said: string }> {
    const running = this.start(command);
    const late = setTimeout(() => running.child.kill("SIGKILL"), patienceMilliseconds);
    const { ok, said } = await running.ended;
    clearTimeout(late);
    if (!ok) throw new Error(`the same command failed:\n${said.slice(-4_000)}`);
    return { said };
  }

  private async kill(victim: Victim, program: ChildProcess): Promise<void> {
    if (victim === "providers") return this.providers.kill();
    if (victim === "program") program.kill("SIGKILL");
    else for (const { pid } of await this.engines(program)) process.kill(pid, "SIGKILL");
  }

  /** The engines at work; where none has begun yet, the next one of this program. None where it ends without. */
  private async engines(program: ChildProcess): Promise<readonly { readonly pid: number }[]> {
    const place = { backendUrl: chooseBackend(this.stack.name).url, project };
    for (;;) {
      const found = locksOf(this.stack.name, place);
      if (found.length > 0 || (program.exitCode ?? program.signalCode) !== null) return found;
      await sleep(50);
    }
  }

  private start(command: "up" | "down"): Running {
    const more = command === "down" ? ["--confirm", this.stack.name] : [];
    const main = ["--require", path.join(projectDir, "load.cjs"), path.join(projectDir, "cli", "main.ts")];
    const args = [...main, command, "--stack", this.stack.name, ...more];
    // Without npm before it, which would be what is killed.
    const child = spawn(process.execPath, args, { cwd: projectDir, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (said += text));
    const ended = new Promise<{ ok: boolean; said: string }>((resolve) => {
      child.once("exit", (code) => {
        resolve({ ok: code === 0, said });
      });
    });
    return { child, ended };
  }

  private pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)] as T;
  }
}
