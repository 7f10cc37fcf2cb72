import type { Cluster } from "../../cli/cluster/cluster";
import { type Asked, placeUrl, questionOf } from "./load";
import { until } from "./pods";
import { Visitor, removeVisitors } from "./visitor";

/** How long answers took, in milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** An address of a model, and what is asked there. */
export interface Place extends Asked {
  readonly name: string;
  readonly row: readonly unknown[];
}

/** How each place answered. */
export type Latencies = Readonly<Record<string, Latency>>;

type Told = Readonly<Record<string, Latency & { readonly failures: number; readonly failure: string }>>;

/** Each place is asked for half of the time first, and then in three rounds. */
const turns = 3.5;
const startSeconds = 120;

/**
 * Asks places in turns, from inside of the cluster, by one client on kept connections.
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
  const ended = async () => {
    phase = await visitor.phase();
    return phase !== "Pending" && phase !== "Running";
  };
  await until("all places are asked", ended, (places.length * seconds * turns + startSeconds) * 1000);
  const told = await visitor.log();
  await removeVisitors(cluster);
  if (phase !== "Succeeded") throw new Error(`the client has failed: ${told}`);
  const figures = JSON.parse(told) as Told;
  const wrong = Object.entries(figures).filter(([, { failures }]) => failures > 0);
  if (wrong.length > 0)
    throw new Error(
      wrong
        .map(([name, { failures, failure }]) => `${failures} requests to ${name} failed, first ${failure}`)
        .join("; "),
    );
  return figures;
}
