import type { V1Deployment, V1StatefulSet } from "@kubernetes/client-node";

import type { Live } from "./cluster";

/** A Deployment or a StatefulSet, as they look alike. */
export type Workload = Live<V1Deployment> | Live<V1StatefulSet>;

/** How far the pods of a workload have come. */
export interface Rollout {
  readonly wanted: number;
  readonly ready: number;
  /** How many of those are of the version that is asked for, at least. */
  readonly renewed: number;
  /** Pods of the version before that are still there. */
  readonly former: number;
  /** As many of the version that is asked for are ready as are wanted. */
  readonly complete: boolean;
  /** What keeps it from that, in a word or two: `1/1 ready, 0 of the new version`. */
  readonly state: string;
  /** Somebody has scaled it to 0: no waiting brings its pods. */
  readonly off: boolean;
}

/**
 * How far the pods of a workload have come. Nothing of the platform is meant to have no pod, so that one is wanted
 * where the cluster asks for none. Pods that are ready may be of the version before: they go on while the new ones fail.
 */
export function rolloutOf(workload: Workload): Rollout {
  const asked = workload.spec?.replicas ?? 1;
  const wanted = Math.max(1, asked);
  const ready = workload.status?.readyReplicas ?? 0;
  const former = formerOf(workload, ready);
  const renewed = Math.max(0, ready - former);
  const state = `${ready}/${wanted} ready`;
  return {
    ...{ wanted, ready, renewed, former, off: asked === 0 },
    complete: ready >= wanted && renewed >= wanted,
    state: ready >= wanted && renewed < wanted ? `${state}, ${renewed} of the new version` : state,
  };
}

/** How many pods are of the version before. */
function formerOf({ metadata, status }: Workload, ready: number): number {
  const { replicas = 0, updatedReplicas = 0 } = status ?? {};
  // Its controller has not looked yet: what it counts is the version before.
  if ((status?.observedGeneration ?? 0) < (metadata?.generation ?? 0)) return Math.max(replicas, ready);
  const { currentRevision, updateRevision } = (status ?? {}) as Live<V1StatefulSet>["status"] & object;
  if (updateRevision !== undefined && updateRevision === currentRevision) return 0;
  return replicas - updatedReplicas;
}
