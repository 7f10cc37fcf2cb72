import { setTimeout as sleep } from "node:timers/promises";

import type { Cluster } from "../../cli/cluster/cluster";
import { protocolClients } from "../../cli/protocols/protocols";
import type { ServedModel, ServedPredictor } from "../../cli/serving/served";
import { Visitor, removeVisitors } from "./visitor";

/** How the requests went; times are seconds by the clock of the clients. */
export interface LoadCounts {
  readonly now: number;
  /** `answered`, `refused`, `broken: …`, `status 500`, … */
  readonly outcomes: Readonly<Record<string, number>>;
  /** What was answered, each version in its own way: how often, first and last. */
  readonly answers: Readonly<
    Record<string, { readonly count: number; readonly first: number; readonly last: number }>
  >;
}

/** A model in service. */
export interface Asked extends Pick<ServedModel, "protocol"> {
  readonly predictor: ServedPredictor;
}

/** Where a predictor is asked inside of the cluster. */
export function placeUrl({ protocol, predictor }: Asked): string {
  const { service, namespace, port } = predictor.address;
  return `http://${service}.${namespace}.svc.cluster.local:${port}${protocolClients[protocol].predictions(predictor)}`;
}

/** The body of a request for one row. */
export function questionOf({ protocol }: Pick<Asked, "protocol">, row: readonly unknown[]): string {
  return JSON.stringify(protocolClients[protocol].request({ ndarray: [row] }));
}

const startMilliseconds = 60_000;

/** Clients in the cluster that ask the model steadily, through its Service. */
export class Load {
  private constructor(
    private readonly cluster: Cluster,
    private readonly visitor: Visitor,
  ) {}

  /**
   * Starts the clients. Resolves when the first are answered.
   *
   * @param more variables of theirs: `PAUSE`, in seconds.
   */
  static async start(
    cluster: Cluster,
    { protocol, predictor }: Asked,
    row: readonly unknown[],
    more: Readonly<Record<string, string>> = {},
  ): Promise<Load> {
    const visitor = await Visitor.start(cluster, "load", "load.py", {
      ...{ URL: placeUrl({ protocol, predictor }), BODY: questionOf({ protocol }, row) },
      ...more,
    });
    const load = new Load(cluster, visitor);
    const end = Date.now() + startMilliseconds;
    while (((await load.counts())?.outcomes["answered"] ?? 0) === 0) {
      if (Date.now() > end) throw new Error(`the load does not start: ${await visitor.log()}`);
      await sleep(500);
    }
    return load;
  }

  /** Ends the clients. @returns how it went. */
  async stop(): Promise<LoadCounts> {
    // They tell once a second.
    await sleep(2_000);
    const [counts, phase] = await Promise.all([this.counts(), this.visitor.phase()]);
    // What one that has ended told last would look as good.
    if (counts === undefined || phase !== "Running")
      throw new Error(`the load was cut off (its pod is ${phase}): ${await this.visitor.log()}`);
    await removeVisitors(this.cluster);
    return counts;
  }

  /** How it goes; undefined before the first second is over. */
  async counts(): Promise<LoadCounts | undefined> {
    try {
      return JSON.parse(await this.visitor.log()) as LoadCounts;
    } catch {
      return undefined;
    }
  }
}

/** How a load goes. @throws Error it does not tell. */
export async function countsOf(load: Load): Promise<LoadCounts> {
  const counts = await load.counts();
  if (counts === undefined) throw new Error("the load does not tell how it goes");
  return counts;
}
