import type { Cluster } from "../../cli/cluster/cluster";
import { type Asked, placeUrl, questionOf } from "./load";
import { until } from "./pods";
import { Visitor, removeVisitors } from "./visitor";

/** How long answers took, in milliseconds, and how many there were in a second. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
}

/** An address of a model, and what is asked there. */
export interface Place extends Asked {
  readonly name: string;
  readonly row: readonly unknown[];
}

/** How each place answered to one client, and to four at once. */
export type Latencies = Readonly<Record<string, Readonly<Record<"1" | "4", Latency>>>>;

/**
 * Asks places in turns, from inside of the cluster, on kept connections.
 *
 * @param seconds how long each measurement takes, of which each of three rounds has one.
 * @throws Error a request failed.
 */
export async function latencies(
  cluster: Cluster,
  places: readonly Place[],
  seconds: number,
): Promise<Latencies> {
  const asked = places.map(({ name, protocol, predictor, row }) => ({
    name,
    url: placeUrl({ protocol, predictor }),
    body: questionOf({ protocol }, row),
  }));
  const visitor = await Visitor.start(cluster, "latency", "latency.py", {
    ASKED: JSON.stringify(asked),
    SECONDS: String(seconds),
  });
  let phase = "";
  await until("all places are asked", async () => {
    phase = await visitor.phase();
    return phase !== "Pending" && phase !== "Running";
  });
  const told = await visitor.log();
  await removeVisitors(cluster);
  if (phase !== "Succeeded") throw new Error(`the clients have failed: ${told}`);
  const { failures, places: figures } = JSON.parse(told) as { failures: string[]; places: Latencies };
  if (failures[0] !== undefined) throw new Error(`${failures.length} requests failed, first ${failures[0]}`);
  return figures;
}
