import type { V1Pod } from "@kubernetes/client-node";

import { backend } from "../../serving/backend";
import type { Live } from "../cluster";
import type { Concerned } from "./diagnosis";
import { type Named, type Scene, isLeaving } from "./scene";

/** Whom a pod belongs to. */
export interface Owner {
  readonly concerned: Concerned;
  /** `former`: a StatefulSet's pod of the revision before, which is not replaced as long as it is not ready. */
  readonly revision: "current" | "former";
}

/**
 * Whom a pod belongs to; undefined if it does not count.
 *
 * What does not count are pods of a version that is being replaced. Nor do those whose controller has gone, or has not
 * yet looked at its latest change: which version they are of is not known.
 */
export function ownerOf(scene: Scene, pod: Live<V1Pod>): Owner | undefined {
  const { view } = scene;
  const owner = pod.metadata?.ownerReferences?.find(({ controller }) => controller);
  const owned = <T extends Named>(list: readonly T[]) =>
    list.find(({ metadata }) => metadata?.uid === owner?.uid);
  const current = (top: Named | undefined): Owner | undefined =>
    top && { concerned: concernedBy(top, pod), revision: "current" };
  switch (owner?.kind) {
    case "ReplicaSet": {
      const set = owned(view.replicaSets);
      return set && isCurrent(scene, set) ? current(deploymentOf(scene, set) ?? set) : undefined;
    }
    case "StatefulSet": {
      const set = owned(view.statefulSets);
      const revision = pod.metadata?.labels?.["controller-revision-hash"];
      if (!set || isLeaving(set) || !isObserved(set)) return undefined;
      if (revision === set.status?.updateRevision) return current(set);
      // With `Parallel` the controller does not wait for a pod before it replaces it.
      if (set.spec?.podManagementPolicy === "Parallel") return undefined;
      return { concerned: concernedBy(set, pod), revision: "former" };
    }
    case "DaemonSet":
      return current(owned(view.daemonSets));
    case "Job": {
      const job = owned(view.jobs);
      return job && !isLeaving(job) ? current(job) : undefined;
    }
    default:
      return current(pod);
  }
}

/** Whom an object concerns, by what Helm and the serving operator write on it. */
export function concernedBy(object: Named, pod?: Named): Concerned {
  const { annotations, labels } = object.metadata ?? {};
  // Helm does not annotate its hooks.
  const instance =
    labels?.["app.kubernetes.io/managed-by"] === "Helm" ? labels["app.kubernetes.io/instance"] : undefined;
  const release = annotations?.["meta.helm.sh/release-name"] ?? instance;
  const model = labels?.[backend.label] ?? pod?.metadata?.labels?.[backend.label];
  const job = pod?.metadata?.ownerReferences?.find(({ kind }) => kind === "Job")?.name;
  return { ...(release && { release }), ...(job && { job }), ...(model && { model }) };
}

/** Whether a ReplicaSet is the one that its Deployment, and its model, is to run now. */
export function isCurrent(scene: Scene, set: Named): boolean {
  const { metadata } = set;
  const owner = metadata?.ownerReferences?.find(({ controller }) => controller);
  if (isLeaving(set)) return false;
  if (owner?.kind !== "Deployment") return true;
  const deployment = deploymentOf(scene, set);
  if (!deployment || isLeaving(deployment) || !isObserved(deployment)) return false;
  const siblings = scene.view.replicaSets.filter((one) => deploymentOf(scene, one) === deployment);
  const newest = Math.max(...siblings.map(revisionOf));
  return revisionOf(set) === newest && isWanted(scene, deployment);
}

/** Whether the model that a Deployment belongs to still wants it. */
function isWanted({ view }: Scene, deployment: Named): boolean {
  const id = deployment.metadata?.labels?.[backend.label];
  const model = view.models.find(({ metadata }) => metadata.name === id);
  return model === undefined || backend.wants(model, deployment);
}

/** The Deployment that a ReplicaSet belongs to, if any. */
export function deploymentOf({ view }: Scene, set: Named) {
  const owner = set.metadata?.ownerReferences?.find(({ controller }) => controller);
  return view.deployments.find(({ metadata }) => metadata?.uid === owner?.uid);
}

function revisionOf({ metadata }: Named): number {
  return Number(metadata?.annotations?.["deployment.kubernetes.io/revision"] ?? 0);
}

function isObserved({
  metadata,
  status,
}: Named & { readonly status?: { readonly observedGeneration?: number } }): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
}
