import type {
  CoreV1Event,
  V1DaemonSet,
  V1Deployment,
  V1Job,
  V1Namespace,
  V1Node,
  V1ObjectMeta,
  V1PersistentVolumeClaim,
  V1Pod,
  V1ReplicaSet,
  V1StatefulSet,
  V1StorageClass,
} from "@kubernetes/client-node";

import type { ModelResource } from "../../serving/backend";
import type { Live } from "../cluster";

/** Everything that the diagnosis looks at: one namespace, and of the cluster what a pod there depends on. */
export interface NamespaceView {
  readonly name: string;
  readonly namespace?: Live<V1Namespace> | undefined;
  readonly pods: readonly Live<V1Pod>[];
  readonly claims: readonly Live<V1PersistentVolumeClaim>[];
  readonly jobs: readonly Live<V1Job>[];
  readonly events: readonly Live<CoreV1Event>[];
  readonly deployments: readonly Live<V1Deployment>[];
  readonly replicaSets: readonly Live<V1ReplicaSet>[];
  readonly statefulSets: readonly Live<V1StatefulSet>[];
  readonly daemonSets: readonly Live<V1DaemonSet>[];
  readonly models: readonly ModelResource[];
  /** Empty where they cannot be seen. */
  readonly nodes: readonly Live<V1Node>[];
  /** Undefined where they cannot be seen, so that none is not taken for there being none. */
  readonly storageClasses?: readonly Live<V1StorageClass>[] | undefined;
}

/** Something with metadata. */
export interface Named {
  readonly metadata?: Live<V1ObjectMeta>;
}

/** A view at a moment, with what every rule asks of it. */
export class Scene {
  private readonly byObject = new Map<string, Live<CoreV1Event>[]>();

  constructor(
    readonly view: NamespaceView,
    private readonly now: Date,
  ) {
    for (const event of [...view.events].sort((a, b) => (lastSeen(a) < lastSeen(b) ? -1 : 1))) {
      const { uid = "" } = event.involvedObject;
      this.byObject.set(uid, [...(this.byObject.get(uid) ?? []), event]);
    }
  }

  /** Whole seconds since a time of the cluster's; 0 if there is none. */
  since(time: string | undefined): number {
    return time === undefined ? 0 : Math.max(0, Math.floor((this.now.getTime() - Date.parse(time)) / 1000));
  }

  /** Events of an object, the latest last. */
  events(object: Named, reason: RegExp, message = /^/): readonly Live<CoreV1Event>[] {
    const events = this.byObject.get(object.metadata?.uid ?? "no uid") ?? [];
    return events.filter((event) => reason.test(event.reason ?? "") && message.test(event.message ?? ""));
  }
}

/** When an event was last seen; old and new clients of the API write it into different fields. */
export function lastSeen({ series, lastTimestamp, eventTime, firstTimestamp }: Live<CoreV1Event>): string {
  return series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? firstTimestamp ?? "";
}

/** When the first of these events was first seen. */
export function firstSeen(events: readonly Live<CoreV1Event>[]): string | undefined {
  return events.flatMap(({ firstTimestamp, eventTime }) => firstTimestamp ?? eventTime ?? []).sort()[0];
}

/** The name of an object; what comes from an API server has one. */
export function nameOf({ metadata }: Named): string {
  return metadata?.name ?? "";
}

/** Whether an object is being deleted. */
export function isLeaving({ metadata }: Named): boolean {
  return metadata?.deletionTimestamp !== undefined;
}

/** A condition of an object that holds. */
export function condition<T extends { readonly type: string; readonly status: string }>(
  conditions: readonly T[] | undefined,
  ...types: string[]
): T | undefined {
  return conditions?.find(({ type, status }) => types.includes(type) && status === "True");
}

/** `1 restart`, `2 restarts`. */
export function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}

/** The first line of a text, cut to what fits on a screen's. */
export function brief(text: string): string {
  const [line = ""] = text.trim().split("\n", 1);
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}
