/** Objects as a cluster (Kubernetes 1.34) shows them, cut down to what is looked at. Times are seconds after `zero`. */
import type {
  CoreV1Event,
  V1Container,
  V1ContainerState,
  V1ContainerStatus,
  V1ObjectMeta,
  V1Pod,
  V1PodSpec,
  V1PodStatus,
} from "@kubernetes/client-node";

import type { Live } from "../../../cli/cluster/cluster";
import { diagnose } from "../../../cli/cluster/diagnosis/diagnose";
import type { Diagnosis } from "../../../cli/cluster/diagnosis/diagnosis";
import type { NamespaceView } from "../../../cli/cluster/diagnosis/scene";

const zero = Date.parse("2026-11-25T12:00:00Z");

/** A time of the cluster's. */
export function at(seconds: number): string {
  return new Date(zero + seconds * 1000).toISOString();
}

/** Diagnoses a namespace `ns` that has only these things. */
export function findings(parts: Partial<NamespaceView>, seconds: number): Diagnosis[] {
  const view: NamespaceView = {
    ...{ name: "ns", pods: [], claims: [], jobs: [], events: [], models: [], nodes: [] },
    ...{ deployments: [], replicaSets: [], statefulSets: [], daemonSets: [], storageClasses: undefined },
    ...parts,
  };
  return diagnose(view, new Date(zero + seconds * 1000));
}

/** What is said of each object, `!` before errors. */
export function told(parts: Partial<NamespaceView>, seconds: number): string[] {
  return findings(parts, seconds).map(
    ({ severity, what, mend }) =>
      `${severity === "error" ? "! " : ""}${what}${mend === undefined ? "" : ` → ${mend}`}`,
  );
}

/** Metadata. An object's uid is its name. */
export function meta(name: string, more: Partial<Live<V1ObjectMeta>> = {}): Live<V1ObjectMeta> {
  return { name, uid: name, creationTimestamp: at(0), ...more };
}

/** Metadata of what a controller has made. */
export function of(kind: string, owner: string): Partial<Live<V1ObjectMeta>> {
  return { ownerReferences: [{ apiVersion: "", kind, name: owner, uid: owner, controller: true }] };
}

/** How a container is. */
export interface ContainerNow {
  readonly state: Live<V1ContainerState>;
  readonly last?: Live<V1ContainerState>;
  readonly restarts?: number;
  readonly ready?: boolean;
  readonly spec?: Partial<Live<V1Container>>;
}

/** Exceptions of a pod. */
export interface PodNow {
  readonly metadata?: Partial<Live<V1ObjectMeta>>;
  readonly spec?: Partial<Live<V1PodSpec>>;
  readonly status?: Partial<Live<V1PodStatus>>;
  readonly containers?: Readonly<Record<string, ContainerNow>>;
  readonly init?: Readonly<Record<string, ContainerNow>>;
}

/** A pod on a node. */
export function pod(
  name: string,
  { metadata, spec, status, containers = {}, init = {} }: PodNow = {},
): Live<V1Pod> {
  const ready = Object.values(containers).every((one) => one.ready);
  return {
    metadata: meta(name, metadata),
    spec: { nodeName: "node", containers: specs(containers), initContainers: specs(init), ...spec },
    status: {
      phase: "Running",
      startTime: at(0),
      conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: at(0) }],
      containerStatuses: statuses(containers),
      initContainerStatuses: statuses(init),
      ...status,
    },
  };
}

function specs(containers: Readonly<Record<string, ContainerNow>>): Live<V1Container>[] {
  return Object.entries(containers).map(([name, { spec }]) => ({ name, image: "app:1", ...spec }));
}

function statuses(containers: Readonly<Record<string, ContainerNow>>): Live<V1ContainerStatus>[] {
  return Object.entries(containers).map(([name, { state, last = {}, restarts = 0, ready = false }]) => ({
    ...{ name, image: "app:1", imageID: "", restartCount: restarts, ready, state, lastState: last },
  }));
}

/** The state of a container that has ended. */
export function ended(exitCode: number, from: number, to: number, reason = "Error", message?: string) {
  return {
    terminated: { exitCode, reason, startedAt: at(from), finishedAt: at(to), ...(message && { message }) },
  };
}

/** The state of a container that waits. */
export function waiting(reason: string, message?: string): Live<V1ContainerState> {
  return { waiting: { reason, ...(message && { message }) } };
}

/** The state of a container that runs. */
export function running(from: number): Live<V1ContainerState> {
  return { running: { startedAt: at(from) } };
}

/** An event. `container` is the one of a pod that it is about. */
export function event(
  object: string,
  reason: string,
  message: string,
  {
    from,
    to = from,
    count = 1,
    container,
  }: { from: number; to?: number; count?: number; container?: string },
): Live<CoreV1Event> {
  return {
    metadata: {},
    involvedObject: { uid: object, ...(container && { fieldPath: `spec.containers{${container}}` }) },
    ...{ reason, message, count, firstTimestamp: at(from), lastTimestamp: at(to) },
  };
}
