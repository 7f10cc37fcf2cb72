import type { Cluster } from "../../cli/cluster/cluster";
import { type Asked, Load, type LoadCounts, countsOf } from "./load";
import { until } from "./pods";
import type { Served } from "./served";

/** What clients have seen of a model that goes from one version to another. */
export interface Moved {
  /** Requests that were sent. */
  readonly sent: number;
  /** How those went that were not answered: `refused: 2`. */
  readonly failed: Readonly<Record<string, number>>;
  /** Seconds from the beginning to the first answer of the new version, and to the last one of the old. */
  readonly first: number;
  readonly last: number;
}

/** For so long nobody may have answered as before. */
const quietSeconds = 5;

/**
 * Has clients ask a model steadily while it goes from one version to another, and until only the new one answers.
 *
 * @param move what has it go there.
 * @throws Error it answers as before.
 */
export async function moveUnderLoad(
  cluster: Cluster,
  served: Served,
  move: () => Promise<unknown>,
): Promise<Moved> {
  const [asked, record] = await Promise.all([served.asked(), served.record()]);
  return moveAsked(cluster, asked, record.rows[0] ?? [], move);
}

/** The same with a row of one's own. */
export async function moveAsked(
  cluster: Cluster,
  asked: Asked,
  row: readonly unknown[],
  move: () => Promise<unknown>,
): Promise<Moved> {
  const load = await Load.start(cluster, asked, row);
  const before = await countsOf(load);
  await move();
  await until("only the new version answers", async () => {
    const { now, answers } = await countsOf(load);
    const isNew = Object.keys(answers).some((answer) => !(answer in before.answers));
    return isNew && lastOf(before, answers) < now - quietSeconds;
  });
  const { outcomes, answers } = await load.stop();
  const { answered = 0, ...failed } = outcomes;
  const fresh = Object.entries(answers).filter(([answer]) => !(answer in before.answers));
  return {
    sent: Object.values(failed).reduce((sum, count) => sum + count, answered),
    failed,
    first: Math.min(...fresh.map(([, { first }]) => first)) - before.now,
    last: lastOf(before, answers) - before.now,
  };
}

/** When an answer of before came last. */
function lastOf(before: LoadCounts, answers: LoadCounts["answers"]): number {
  return Math.max(...Object.keys(before.answers).map((answer) => answers[answer]?.last ?? 0));
}

/** The same in words. @throws Error not every request was answered. */
export function inWords({ sent, failed, first, last }: Moved): string {
  if (Object.keys(failed).length > 0)
    throw new Error(`of ${sent} requests, some were lost: ${JSON.stringify(failed)}`);
  return `${sent} requests, none failed; the new version answered first after ${first.toFixed(1)} s, and alone after ${last.toFixed(1)} s`;
}
