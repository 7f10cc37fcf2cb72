import { writeFileSync } from "node:fs";

import { ClusterWatch } from "../cluster/diagnosis/watch";
import { mendsInStack } from "../commandLine";
import { UserError } from "../errors";
import { codeCell, fence } from "../markdown";
import { typed } from "../paths";
import { stackStatus } from "../status/clusterStatus";
import type { Item } from "../status/item";
import { localReport, localStatus } from "../status/localStatus";
import { markdownReport, report } from "../status/report";
import { type ClusterTarget, type TargetOptions, chooseTarget, defaultStack } from "../target";

/** Options of `npm run status`. */
export interface StatusOptions extends TargetOptions {
  readonly json?: boolean;
  /** A file that gets what is not well in the cluster, for an issue. */
  readonly report?: string;
}

/**
 * `npm run status`: what there is of the platform, on this machine and in the stack's cluster, and how it is.
 *
 * @returns the exit code: 0 all that there is is well, also if there is nothing; 1 something is not.
 * @throws UserError the stack or the context that is named has no cluster that answers.
 */
export async function status(options: StatusOptions): Promise<number> {
  if (options.report !== undefined) {
    writeFileSync(typed(options.report), await unwell(options));
    return 0;
  }
  const local = await localStatus();
  const runsHere = local.services.length > 0 || local.keeper !== undefined;
  const target = await chooseTarget(options);
  const items = target.kind === "cluster" ? await look(target, options.stack !== undefined) : [];
  const wanted = [options.target, options.stack, options.context].some((named) => named !== undefined);
  const showCluster = target.kind === "cluster" && (items.length > 0 || wanted);
  const healthy = items.every(({ health }) => health !== "ill");

  const say = (text: string) => process.stdout.write(text);
  if (runsHere || !showCluster) {
    const { services, keeper } = local;
    if (options.json)
      say(`${JSON.stringify({ target: "local", healthy: local.healthy, services, up: keeper ?? null })}\n`);
    else say(localReport(local));
  }
  if (showCluster) {
    const { stack, context, version } = target;
    const facts = { target: "cluster", healthy, stack, context: context.name, version, items };
    if (options.json) say(`${JSON.stringify(facts)}\n`);
    else if (items.length > 0) say(report(target, items));
    else say(`Nothing of the platform is in the cluster of context ${context.name}. Start it: npm run up\n`);
  }
  return healthy && local.healthy ? 0 : 1;
}

/** What is not well in the stack's cluster, for an issue; empty if all is. That it cannot be looked at is not well either. */
async function unwell(options: StatusOptions): Promise<string> {
  try {
    const target = await chooseTarget({ ...options, target: "cluster" });
    if (target.kind !== "cluster") throw new UserError("there is no cluster");
    const items = await look(target, true);
    if (items.length === 0)
      throw new UserError(`nothing of the platform is in context ${target.context.name}`);
    const healthy = items.every(({ health }) => health !== "ill");
    process.stdout.write(healthy ? "All is well.\n" : report(target, items));
    return healthy ? "" : markdownReport(target, items);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stdout.write(`${error.message}\n`);
    return `Stack ${codeCell(options.stack ?? defaultStack)} cannot be looked at:\n\n${fence(error.message)}\n`;
  }
}

async function look({ cluster, stack }: ClusterTarget, named: boolean): Promise<Item[]> {
  const watch = new ClusterWatch(cluster);
  return mendsInStack(
    await stackStatus(cluster, stack, (namespaces) => watch.look(namespaces), named),
    stack,
  );
}
