import { setTimeout as sleep } from "node:timers/promises";

import { ownership } from "../../components/kubernetes";
import { ownerKeys } from "../../components/namespaces/platformNamespaces";
import type { InCluster } from "../engine/stack";
import type { Look } from "../engine/strays";
import type { Cluster } from "./cluster";
import { KnownKinds } from "./kinds";
import { HelmReleases } from "./releases";

const pauseMilliseconds = 500;
const patienceMilliseconds = 60_000;

interface Found {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
}

/** What the recovery of a stack asks its cluster. */
export function inCluster(cluster: Cluster): InCluster {
  return { records: new HelmReleases(cluster), look: ownObjects(cluster) };
}

/** Looks for objects that bear the platform's mark. One that is being deleted is waited for until it is gone. */
export function ownObjects(cluster: Cluster): Look {
  const kinds = new KnownKinds(cluster);
  return async (object) => {
    const address = await kinds.addressOf(object);
    if (address === undefined) return undefined;
    const deadline = Date.now() + patienceMilliseconds;
    for (;;) {
      const found = await cluster.get<Found>(address);
      if (found === undefined) return undefined;
      const { labels = {}, annotations = {}, deletionTimestamp } = found.metadata;
      if (!Object.entries(ownership).every(([key, value]) => labels[key] === value)) return undefined;
      if (deletionTimestamp === undefined || Date.now() > deadline)
        return { owner: annotations[ownerKeys.id] };
      await sleep(pauseMilliseconds);
    }
  };
}
