import type { Cluster } from "../cluster/cluster";
import { UserError, messageOf } from "../errors";
import { onInterruption, stopMilliseconds } from "../interruption";
import { type LoggedContainer, containersOf } from "../podLogs/containers";
import { followAll } from "../podLogs/follow";
import { type Source, findSource, logSources } from "../podLogs/sources";
import { type LogQuery, readLog } from "../podLogs/stream";
import { LogWriter } from "../podLogs/writer";
import { table } from "../table";
import { clusterTarget } from "../target";

/** Options of `npm run logs`. */
export interface LogsOptions {
  readonly stack?: string;
  readonly context?: string;
  /** Goes on with what comes, also of pods that come later. */
  readonly follow?: boolean;
  /** Seconds. */
  readonly since?: number;
  /** Of the runs before the present ones. */
  readonly previous?: boolean;
  readonly container?: string;
  /** Lines of each container. */
  readonly tail?: number;
  readonly json?: boolean;
}

/**
 * `npm run logs`: the logs of all pods and containers of a model, a training or a part of the platform; without a
 * name, what there are logs of.
 *
 * @throws UserError there is nothing of that name, or it has no such container or run.
 */
export async function logs(name: string | undefined, options: LogsOptions): Promise<void> {
  const { cluster, context } = await clusterTarget(options);
  const sources = await logSources(cluster);
  if (name === undefined) {
    list(sources, context.name, options);
    return;
  }
  const source = findSource(sources, name, context.name);
  const containers = await containersOf(cluster, source, options.container);
  if (containers.length === 0 && options.container !== undefined)
    throw await noSuchContainer(cluster, source, options.container);
  const interruption = onInterruption(() => undefined);
  interruption.within(stopMilliseconds);
  const { signal } = interruption;
  try {
    if (options.follow) {
      const writer = new LogWriter(true, options.json ?? false);
      await followAll({ cluster, source, only: options.container, writer, signal }, queryOf(options));
    } else await printAll(cluster, source, containers, options, signal);
  } finally {
    interruption.dispose();
  }
}

function list(sources: readonly Source[], context: string, { json }: LogsOptions): void {
  if (json) process.stdout.write(`${JSON.stringify({ event: "sources", sources })}\n`);
  else if (sources.length === 0)
    process.stdout.write(`Nothing of the platform is in the cluster of context ${context}.\n`);
  else {
    const rows = sources.map(({ name, kind, namespace }) => [name, kind, namespace]);
    process.stdout.write(`${table(["name", "what it is", "namespace"], rows)}\nnpm run logs -- NAME\n`);
  }
}

async function noSuchContainer(cluster: Cluster, source: Source, container: string): Promise<UserError> {
  const names = new Set((await containersOf(cluster, source, undefined)).map((each) => each.container));
  const there = names.size === 0 ? "It has no pods at all" : `There is: ${[...names].join(", ")}`;
  return new UserError(`--container: ${source.name} has no container ${container}. ${there}.`);
}

async function printAll(
  cluster: Cluster,
  { name }: Source,
  containers: readonly LoggedContainer[],
  options: LogsOptions,
  signal: AbortSignal,
): Promise<void> {
  const { previous = false, json = false } = options;
  const withLog = containers.filter(({ run, restarted }) => (previous ? restarted : run !== undefined));
  const writer = new LogWriter(withLog.length > 1, json);
  if (withLog.length === 0) {
    if (previous) throw new UserError(`--previous: no container of ${name} has been started again.`);
    writer.note(containers.length === 0 ? `${name} has no pods.` : `${name}: no container has started yet.`);
  }
  if (!previous)
    for (const { pod, container, waiting } of containers.filter(({ run }) => run === undefined))
      writer.note(`${pod}/${container} has not started: ${waiting}`);
  const refusals: string[] = [];
  for (const one of withLog) {
    try {
      await readLog(cluster, one, queryOf(options), writer.linesOf(one), signal);
    } catch (error) {
      signal.throwIfAborted();
      refusals.push(`${one.pod}/${one.container}: ${messageOf(error)}`);
    }
  }
  // A log may be gone, such as that of a run before, while the others are there.
  if (refusals.length > 0 && refusals.length === withLog.length) throw new UserError(refusals.join("; "));
  for (const refusal of refusals) writer.note(refusal);
}

function queryOf({ since, tail, previous, follow }: LogsOptions): LogQuery {
  // What comes is of the present run.
  return { ...(previous && !follow ? { previous } : {}), sinceSeconds: since, tailLines: tail };
}
