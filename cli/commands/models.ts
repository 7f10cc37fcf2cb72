import type { PlatformConfig } from "../../config";
import { lockFile } from "../../config/lock";
import type { Cluster } from "../cluster/cluster";
import { commandLine } from "../commandLine";
import { UserError, messageOf } from "../errors";
import { shown } from "../paths";
import { Progress } from "../progress";
import { hasMoved, listingOf, listingTable, notAsked } from "../registry/listing";
import { decisionsIn, writeDown } from "../registry/lockFile";
import { needRegistry } from "../registry/registry";
import { chosen, reasonsOf, update } from "../registry/update";
import { type TargetOptions, clusterTarget, defaultStack } from "../target";

/** Options of `npm run models`. */
export interface ModelsOptions extends TargetOptions {
  readonly json?: boolean;
}

/** A stack, by its file, and where its lock is. */
interface Stack {
  readonly name: string;
  readonly config: PlatformConfig;
  readonly file: string;
}

/**
 * `npm run models`: which versions of the registry's models the stack is to serve, and which there are.
 * `npm run models -- update [NAME…]`: asks the registry, and writes down what is to be served; nothing is deployed.
 *
 * @param words `update` and names of the stack's models, or nothing.
 * @returns the exit code: 1 a name in the registry stands for nothing.
 * @throws UserError there is no such stack or model, its configuration is wrong, or the registry cannot be asked.
 */
export async function models(words: readonly string[], options: ModelsOptions): Promise<number> {
  const [action, ...names] = words;
  if (action !== undefined && action !== "update")
    throw new UserError(
      `npm run models does not know "${action}": it lists the models, or decides anew: npm run models -- update`,
    );
  const name = options.stack ?? defaultStack;
  // The SDK takes a second, for which a wrong word should not have to wait.
  const { platformConfig } = await import("../plan/plan.js");
  const config = await platformConfig(name, {});
  const stack = { name, config, file: lockFile(name, config.environment) };
  return action === undefined ? list(stack, options) : decideAnew(stack, names, options);
}

async function decideAnew(
  { name, config, file }: Stack,
  names: readonly string[],
  options: ModelsOptions,
): Promise<number> {
  const wanted = chosen(config.models, names);
  const { cluster } = await clusterTarget(options);
  const progress = Progress.for(options);
  const changes: string[] = [];
  try {
    await progress.step("registry", async (step) => {
      const updated = await update(await needRegistry(cluster), wanted, config, decisionsIn(file));
      changes.push(...updated.changes);
      if (changes.length > 0) writeDown(file, name, updated);
      step.detail(changes.length === 0 ? "nothing has changed" : `written down in ${shown(file)}`);
      const failures = reasonsOf(updated.failures);
      progress.event({ event: "models", stack: name, file: shown(file), changes, failures });
      if (failures.length > 0) throw new UserError(failures.join("\n"));
    });
  } finally {
    progress.stop();
    for (const change of changes) progress.say(`  ${change}`);
  }
  if (changes.length > 0) progress.say(`\n${next(name, config)}`);
  return 0;
}

function next(stack: string, { environment }: PlatformConfig): string {
  const commit =
    environment === "dev" ? "" : "Commit the file: the preview of that change shows the promotion.\n";
  return `${commit}What it changes: ${commandLine("preview", stack)}. Into service: ${commandLine("up", stack)}`;
}

async function list({ name, config, file }: Stack, options: ModelsOptions): Promise<number> {
  const reached = await reach(options);
  const cluster = typeof reached === "string" ? undefined : reached;
  const rows = await listingOf(config.models, decisionsIn(file), cluster);
  const lost = rows.filter(({ reason, wish }) => wish !== null && reason !== null && reason !== notAsked);
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ stack: name, file: shown(file), models: rows })}\n`);
  } else {
    process.stdout.write(`${listingTable(rows)}\n`);
    const moved = rows.filter(hasMoved).map(({ model }) => model);
    if (moved.length > 0) {
      process.stdout.write(
        `\nTo take what the registry has: ${commandLine("models", name, "update", ...moved)}\n`,
      );
    }
    if (typeof reached === "string") process.stderr.write(`The registry was not asked: ${reached}\n`);
    else for (const { reason } of lost) process.stderr.write(`${reason ?? ""}\n`);
  }
  return lost.length > 0 && cluster !== undefined ? 1 : 0;
}

/** The stack's cluster, or why it is not there: what was decided can be told without it. */
async function reach(options: ModelsOptions): Promise<Cluster | string> {
  try {
    return (await clusterTarget(options)).cluster;
  } catch (error) {
    if (error instanceof UserError) return messageOf(error);
    throw error;
  }
}
