/**
 * `npm run test:e2e [-- --keep] [-- --json]`: the platform on the cluster of the current context, from nothing to
 * nothing, with a model that answers, changes under load, and outlives its pods. `npm run test:e2e -- kills`: commands
 * that are killed at random moments.
 *
 * `E2E_CONFIG` names a stack file with what holds for this cluster (mirror, prebuilt images), `E2E_PROVIDERS` chooses
 * the providers.
 */
import * as path from "node:path";

import { Command } from "commander";

import { type Cluster, findCluster } from "../../cli/cluster/cluster";
import { prepareEngine } from "../../cli/deploy/prepared";
import { Progress } from "../../cli/progress";
import { UserError, messageOf } from "../../cli/errors";
import type { Engine } from "../../cli/engine/engine";
import { Kills } from "./kills";
import { leftovers } from "./leftovers";
import { Life } from "./life";
import { type Providers, chooseProviders } from "./providers";
import { Steps } from "./steps";
import { TestStack } from "./testStack";

interface Options {
  readonly keep?: boolean;
  readonly json?: boolean;
}

interface KillOptions extends Options {
  readonly count: string;
  readonly seed: string;
}

async function main(options: Options): Promise<void> {
  await onCluster(options, ({ cluster, stack, engine, steps }) => {
    const life = new Life(cluster, stack, engine, steps);
    return { live: () => life.live(), end: () => life.end() };
  });
}

async function kills({ count, seed, ...options }: KillOptions): Promise<void> {
  await onCluster(options, ({ cluster, stack, providers, steps }) => {
    steps.say(`To repeat it: --count ${count} --seed ${seed}`);
    const all = new Kills(cluster, stack, providers, steps, Number(seed));
    return { live: () => all.run(Number(count)), end: () => all.end() };
  });
}

/** What a test works with. */
interface Setting {
  readonly cluster: Cluster;
  readonly stack: TestStack;
  readonly engine: Engine;
  readonly providers: Providers;
  readonly steps: Steps;
}

/** A test from an empty cluster to an empty one; each step tells of itself. */
interface Course {
  live(): Promise<void>;
  end(): Promise<string>;
}

async function onCluster(options: Options, begin: (setting: Setting) => Course): Promise<void> {
  const steps = new Steps(options.json === true);
  const found = await findCluster();
  if (found.state !== "answers") throw new UserError(`there is no cluster to test on: ${found.reason}.`);
  const { cluster, context, version } = found;
  const present = await leftovers(cluster);
  if (present.length > 0)
    throw new UserError(`the cluster of context ${context} is not empty: it has ${present.join(", ")}.`);

  const progress = Progress.for(options);
  const engine = await prepareEngine(progress, new AbortController().signal);
  progress.stop();
  // The commands look for it in a home that they do not have here.
  process.env["PATH"] = `${path.dirname(engine.file)}${path.delimiter}${process.env["PATH"] ?? ""}`;
  const stack = new TestStack(context);
  const providers = await chooseProviders(engine, context, stack.prebuilt);
  stack.moveIn();
  steps.say(`Context ${context}, Kubernetes ${version}, Pulumi ${engine.version}`);
  steps.say(`Providers: ${providers.description}`);

  const course = begin({ cluster, stack, engine, providers, steps });
  const removed = await run(course, steps, options.keep === true);
  providers.stop();
  if (removed) stack.remove();
  const { results, ok } = steps;
  const { description } = providers;
  steps.event({ event: "e2e", context, version, providers: description, ok, removed, steps: results });
  steps.say(`\n${steps.table()}\n\nProviders: ${description}`);
  if (!removed) steps.say([stack.kept, ...providers.needed].join("\n"));
  process.exitCode = ok ? 0 : 1;
}

/** Runs all steps; an error has been told as the result of its step. @returns whether nothing is left in the end. */
async function run(course: Course, steps: Steps, keep: boolean): Promise<boolean> {
  try {
    await course.live();
  } catch {
    steps.say("\nThe steps after this one are left out.");
  }
  if (keep) return false;
  try {
    await steps.run("down leaves nothing", () => course.end());
    return true;
  } catch {
    return false;
  }
}

// The command that is under way hears a Ctrl-C too; its step then fails, and the stack is taken down.
process.once("SIGINT", () => undefined);

const keep = ["--keep", "leave everything as it is at the end, or at the first failure"] as const;
const json = ["--json", "JSON for machines: one object on a line"] as const;
const program = new Command("npm run test:e2e --")
  .enablePositionalOptions()
  .description("the platform on the current context's cluster, from nothing to nothing")
  .option(...keep)
  .option(...json)
  .action(main);
program
  .command("kills")
  .description("kills of program, engine and providers at random moments: the same command must finish")
  .option("--count <number>", "how many kills", "40")
  .option("--seed <number>", "repeats a run", String(Math.floor(Math.random() * 1e9)))
  .option(...keep)
  .option(...json)
  .action(kills);
program.parseAsync().catch((error: unknown) => {
  const text = error instanceof UserError ? messageOf(error) : String((error as Error).stack);
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
});
