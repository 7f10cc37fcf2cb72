import { setTimeout as sleep } from "node:timers/promises";

import type { Cluster } from "../../cli/cluster/cluster";
import { seldon } from "../../cli/protocols/seldon";
import { namespaceNames } from "../../components/capabilities";
import { modelName } from "./testStack";
import { Visitor, removeVisitors } from "./visitor";

/** How the requests went. */
export interface LoadCounts {
  /** `answered`, `refused`, `broken: …`, `status 500`, … */
  readonly outcomes: Readonly<Record<string, number>>;
  /** How often each version of the model answered. */
  readonly versions: Readonly<Record<string, number>>;
}

const startMilliseconds = 60_000;

/** Clients in the cluster that ask the model steadily, through its Service. */
export class Load {
  private constructor(
    private readonly cluster: Cluster,
    private readonly visitor: Visitor,
  ) {}

  /** Starts the clients. Resolves when the first are answered. */
  static async start(cluster: Cluster, row: readonly number[]): Promise<Load> {
    const path = seldon.predictions({ unit: modelName, chained: false });
    const url = `http://${modelName}-default.${namespaceNames.models}.svc.cluster.local:8000${path}`;
    const body = JSON.stringify(seldon.request(row));
    const visitor = await Visitor.start(cluster, "load", "load.py", { URL: url, BODY: body });
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

  private async counts(): Promise<LoadCounts | undefined> {
    try {
      return JSON.parse(await this.visitor.log()) as LoadCounts;
    } catch {
      return undefined;
    }
  }
}
