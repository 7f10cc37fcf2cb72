import type { Finding, Severity } from "../../../finding";

/** What a finding can be about, the most telling first. */
export const causes = [
  "stuck",
  "crash",
  "image",
  "configuration",
  "volume",
  "room",
  "forbidden",
  "job",
  "namespace",
  "network",
  "cluster",
  "probe",
  "start",
] as const;

/**
 * What a finding is about: a pod of a former version that blocks the new one (`stuck`), a container that ends, cannot
 * be pulled or cannot be configured, a volume, a place on a node (`room`), pods that may not be made (`forbidden`), a
 * Job, a namespace that will not go, names or Services that pods do not reach (`network`), a cluster that does not
 * answer, a failing probe, or a start that takes its time.
 */
export type Cause = (typeof causes)[number];

/** Why something in a cluster is not ready. An error will not mend itself: waiting on is no use. */
export interface Diagnosis extends Finding {
  /** What it is about. */
  readonly object: { readonly kind: string; readonly namespace: string; readonly name: string };
  /** The Helm release that it belongs to, if any. */
  readonly release?: string;
  /** The Job behind it, if any. */
  readonly job?: string;
  /** The model behind it, if any. */
  readonly model?: string;
  readonly cause: Cause;
  /** The container whose log tells more, if it has run. */
  readonly container?: LoggedContainer;
  /** The last lines that this container logged; filled by `ClusterWatch`. */
  readonly log?: readonly string[];
  /**
   * When it last failed, by the cluster's clock. What failed before a change of the caller's own may not know of it yet:
   * a crashed container is started again only after a pause, a failed Job is there until its successor takes its place.
   */
  readonly at?: string;
  /**
   * A pod of a StatefulSet's former revision: only its deletion makes room for the new one. A warning, since whoever
   * reads this can delete it.
   */
  readonly stuckPod?: true;
}

/** A container of a pod in the finding's namespace. */
export interface LoggedContainer {
  readonly pod: string;
  readonly name: string;
  /** The log is that of the run before the present one. */
  readonly previous: boolean;
}

/** What is wrong, before it is said whom it concerns. */
export type Trouble = Pick<Diagnosis, "at" | "cause" | "container" | "mend" | "severity" | "what">;

/** Whom it concerns, where that is known. */
export type Concerned = Pick<Diagnosis, "job" | "model" | "release">;

/** What will not mend itself is an error; what may pass, a warning. */
export function severityOf(hopeless: boolean): Severity {
  return hopeless ? "error" : "warning";
}

/** Puts findings in order: errors first, then the most telling. */
export function inOrder(findings: readonly Diagnosis[]): Diagnosis[] {
  const weight = ({ cause, severity }: Diagnosis) =>
    causes.indexOf(cause) + (severity === "error" ? 0 : causes.length);
  return [...findings].sort((one, other) => weight(one) - weight(other));
}

/** For how many seconds something is taken for a fault that may pass. */
export const patience = {
  /** A refusal that the same request will meet again: no such image, no such Secret. */
  definite: 10,
  /** A place on a node: an old pod may be about to leave, a new node about to come. */
  room: 20,
  /** Anything that another part of the cluster may still put right. */
  other: 20,
};
