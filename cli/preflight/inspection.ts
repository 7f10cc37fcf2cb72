import type { V1Node, V1Pod } from "@kubernetes/client-node";

import type { Cluster, Live } from "../cluster/cluster";
import { type LiveNode, nodesAddress } from "../cluster/nodes";
import type { Owner } from "../engine/owner";
import type { Plan } from "../plan/plan";
import type { ClusterTarget } from "../target";

/** What is to be brought up, and where. */
export interface Preflight {
  readonly target: ClusterTarget;
  /** What the stack would become. */
  readonly plan: Plan;
  /** Whether something of this stack is there already. What it was granted must not count twice. */
  readonly deployed: boolean;
  /** Whose the stack's objects are. */
  readonly owner: Owner;
  /** Ports of this machine that were asked for by number. @default none */
  readonly ports?: readonly number[];
}

/** What the checks share: what is asked for, and what several of them ask the cluster. */
export class Inspection implements Preflight {
  readonly target: ClusterTarget;
  readonly plan: Plan;
  readonly deployed: boolean;
  readonly owner: Owner;
  readonly ports: readonly number[];
  readonly cluster: Cluster;

  constructor(
    given: Preflight,
    /** Aborted when the command is told to stop, or the time for checks is over. */
    readonly signal: AbortSignal,
  ) {
    this.target = given.target;
    this.plan = given.plan;
    this.deployed = given.deployed;
    this.owner = given.owner;
    this.ports = given.ports ?? [];
    this.cluster = given.target.cluster;
  }

  /** The cluster's nodes. */
  readonly nodes: () => Promise<LiveNode[]> = once(() => this.cluster.list<V1Node>(nodesAddress));

  /** All pods of the cluster that have not ended. */
  readonly pods: () => Promise<Live<V1Pod>[]> = once(() =>
    this.cluster.list<V1Pod>("/api/v1/pods?fieldSelector=status.phase!=Succeeded,status.phase!=Failed"),
  );
}

/** Asks at the first call only. */
export function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => (answer ??= ask());
}
