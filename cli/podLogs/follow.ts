import { setTimeout as sleep } from "node:timers/promises";

import type { Cluster } from "../cluster/cluster";
import { messageOf } from "../errors";
import { type LoggedContainer, containersOf } from "./containers";
import type { Source } from "./sources";
import { type LogQuery, readLog } from "./stream";
import type { LogWriter } from "./writer";

/** What is followed, and where its lines go. */
export interface Following {
  readonly cluster: Cluster;
  readonly source: Source;
  /** Of its containers, this one alone. @default all */
  readonly only: string | undefined;
  readonly writer: LogWriter;
  readonly signal: AbortSignal;
}

/** How often pods are looked for that have come, or started again, since. */
const lookMilliseconds = 1_000;
/** So many times in a row the way to a container may be broken, such as while the API server starts again. */
const patience = 10;

/**
 * Shows what comes until it is told to stop, also of containers that start, or start again, in the meantime.
 *
 * @param query which part of what is there already is shown; what comes later is shown whole.
 */
export async function followAll(following: Following, query: LogQuery): Promise<void> {
  const { cluster, source, only, writer, signal } = following;
  const followed = new Set<string>();
  let part = query;
  let silent = false;
  while (!signal.aborted) {
    try {
      const containers = await containersOf(cluster, source, only);
      for (const one of containers) {
        const key = `${one.pod}/${one.container}/${one.run ?? ""}`;
        if (one.run === undefined || followed.has(key)) continue;
        followed.add(key);
        void followOne(following, one, part);
      }
      if (part === query && containers.length === 0) writer.note(`${source.name} has no pods yet.`);
      part = {};
      silent = false;
    } catch (error) {
      if (!silent) writer.note(`The cluster does not answer: ${messageOf(error)}`);
      silent = true;
    }
    await sleep(lookMilliseconds, undefined, { signal }).catch(() => undefined);
  }
}

/** Follows one run of a container; where the way to it breaks, goes on from there. */
async function followOne(
  { cluster, writer, signal }: Following,
  one: LoggedContainer,
  query: LogQuery,
): Promise<void> {
  const write = writer.linesOf(one);
  let from = query;
  let failures = 0;
  const take = (line: string) => {
    from = { sinceTime: new Date().toISOString() };
    failures = 0;
    write(line);
  };
  while (failures < patience) {
    try {
      await readLog(cluster, one, { ...from, follow: true }, take, signal);
      return;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      if (failures === patience) writer.note(`${one.pod}/${one.container}: ${messageOf(error)}`);
      await sleep(lookMilliseconds, undefined, { signal }).catch(() => undefined);
    }
  }
}
