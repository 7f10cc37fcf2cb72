import type { Cluster } from "../../cli/cluster/cluster";
import type { ServedPredictor } from "../../cli/serving/served";
import { Load, countsOf } from "./load";
import { until } from "./pods";
import type { Served } from "./served";
import { Visitor } from "./visitor";

/** A predictor, as a stack's file has it. */
export type Predictor = Readonly<Record<string, boolean | number | string>>;

/** Requests by which a share is measured. */
const measured = 10_000;
/** Percentage points that a share may be off. */
const tolerance = 2;

/**
 * Has clients ask a model steadily while its requests are split between the champion and another version, with other shares
 * after that, then copied, and at last not split any more.
 *
 * @param other address of the other version.
 * @param bring brings these predictors into service; none is the model as it was.
 * @returns what was seen. @throws Error a share is another, or a request was lost.
 */
export async function splitUnderLoad(
  cluster: Cluster,
  served: Served,
  other: string,
  bring: (predictors: readonly Predictor[] | undefined) => Promise<unknown>,
): Promise<string> {
  const [{ protocol, predictor }, record] = await Promise.all([served.asked(), served.record()]);
  const row = record.rows[0] ?? [];
  const load = await Load.start(cluster, { protocol, predictor }, row, { PAUSE: "0" });
  const champion = Object.keys((await countsOf(load)).answers);
  const canary = (traffic: number) => [
    { name: "default", traffic: 100 - traffic },
    { name: "canary", traffic, model: other },
  ];
  /** How many of the next requests the champion does not answer, in percent. */
  const share = async (): Promise<number> => {
    const sumOf = (answers: Awaited<ReturnType<typeof countsOf>>["answers"], chosen = Object.keys(answers)) =>
      chosen.reduce((sum, answer) => sum + (answers[answer]?.count ?? 0), 0);
    const { answers: before } = await countsOf(load);
    let after = before;
    await until(`${measured} requests are answered`, async () => {
      after = (await countsOf(load)).answers;
      return sumOf(after) - sumOf(before) >= measured;
    });
    const total = sumOf(after) - sumOf(before);
    return 100 - (100 * (sumOf(after, champion) - sumOf(before, champion))) / total;
  };
  const told: string[] = [];
  for (const wanted of [10, 50]) {
    await bring(canary(wanted));
    // Who keeps a connection asks as before for up to a minute: servers and splitters end it then.
    await until("the former shares are gone", async () => Math.abs((await share()) - wanted) <= tolerance);
    const seen = await share();
    if (Math.abs(seen - wanted) > tolerance)
      throw new Error(`the canary gets ${seen.toFixed(1)} % of ${wanted} %`);
    told.push(`${wanted} %: ${seen.toFixed(1)}`);
  }
  told.push(`by gRPC: ${(await grpcShare(cluster, predictor, row, champion)).toFixed(1)}`);
  await bring([{ name: "default" }, { name: "canary", shadow: true, model: other }]);
  await until("the shadow answers nobody", async () => (await share()) === 0);
  await bring(undefined);
  const { answered = 0, ...failed } = (await load.stop()).outcomes;
  if (Object.keys(failed).length > 0)
    throw new Error(`of ${answered} requests and more, some were lost: ${JSON.stringify(failed)}`);
  await served.checkAnswers();
  return `shares of ${told.join(", ")}; ${answered} requests, none failed`;
}

/** The share of calls on one connection that the champion does not answer, in percent. */
async function grpcShare(
  cluster: Cluster,
  { address }: ServedPredictor,
  row: readonly unknown[],
  champion: readonly string[],
): Promise<number> {
  const visitor = await Visitor.start(cluster, "shares", "shares.py", {
    ADDRESS: `${address.service}.${address.namespace}.svc:5001`,
    ROW: JSON.stringify(row),
    CALLS: "2000",
  });
  await until("the calls are over", async () => /Succeeded|Failed/.test(await visitor.phase()));
  const said = await visitor.log();
  if ((await visitor.phase()) !== "Succeeded") throw new Error(`by gRPC it says ${said}`);
  const counts = JSON.parse(said) as Record<string, number>;
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const theirs = champion.reduce((sum, answer) => sum + (counts[answer] ?? 0), 0);
  const seen = 100 - (100 * theirs) / all;
  if (Math.abs(seen - 50) > 5) throw new Error(`by gRPC the canary gets ${seen.toFixed(1)} % of 50 %`);
  return seen;
}
