import type { V1Deployment, V1StatefulSet } from "@kubernetes/client-node";

import type { Live } from "./cluster";

/** A Deployment or a StatefulSet, as they look alike. */
export type Workload = Live<V1Deployment> | Live<V1StatefulSet>;

/** How far the pods of a workload have come. */
export interface Rollout {
  readonly wanted: number;
  readonly ready: number;
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
  const renewed = renewedOf(workload, ready);
  const state = `${ready}/${wanted} ready`;
  return {
    ...{ wanted, ready, off: asked === 0 },
    complete: ready >= wanted && renewed >= wanted,
    state: ready >= wanted && renewed < wanted ? `${state}, ${renewed} of the new version` : state,
  };
}

/** How many are ready of the version that is asked for, at least. */
function renewedOf({ metadata, status }: Workload, ready: number): number {
  // Its controller has not looked yet: what it counts is the version before.
  if ((status?.observedGeneration ?? 0) < (metadata?.generation ?? 0)) return 0;
  const { currentRevision, updateRevision } = (status ?? {}) as Live<V1StatefulSet>["status"] & object;
  if (updateRevision !== undefined && updateRevision === currentRevision) return ready;
  const { replicas = 0, updatedReplicas = 0 } = status ?? {};
  return Math.max(0, ready - (replicas - updatedReplicas));
}
