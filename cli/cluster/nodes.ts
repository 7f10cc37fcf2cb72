import type { V1Node } from "@kubernetes/client-node";

import { parseReference } from "../../policy/rules/references";
import type { Live } from "./cluster";

/** A node as the API server sends it. */
export type LiveNode = Live<V1Node>;

/** The nodes' address at the API server. */
export const nodesAddress = "/api/v1/nodes";

/** A node's name. */
export function nodeName({ metadata }: LiveNode): string {
  return metadata?.name ?? "";
}

/** Why a node does not run pods; undefined if it does. */
export function notReady({ status }: LiveNode): string | undefined {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status === "True") return undefined;
  return ready?.message ?? ready?.reason ?? "its kubelet has said nothing yet";
}

/** Whether new pods are kept from a node by whoever runs the cluster: it is cordoned, or meant for others. */
export function isReserved({ spec }: LiveNode): boolean {
  return (
    spec?.unschedulable === true ||
    (spec?.taints ?? []).some(({ effect, key }) => effect !== "PreferNoSchedule" && !isTransient(key))
  );
}

/** Kubernetes taints a node by itself while something is the matter with it. */
function isTransient(key: string): boolean {
  return key.startsWith("node.kubernetes.io/") && key !== "node.kubernetes.io/unschedulable";
}

/** As many images a node lists at most, by the kubelet's `nodeStatusMaxImages`, which can be changed. */
const listedImages = 50;
/** And as many names of each: `MaxNamesPerImageInNodeStatus` in the kubelet's `nodestatus/setters.go`. */
const listedNames = 5;

/**
 * Whether every node says that it has an image. A node lists its fifty largest images only, so that none may say so
 * of one that it has.
 */
export function onEveryNode(nodes: readonly LiveNode[], reference: string): boolean {
  return nodes.length > 0 && nodes.every((node) => says(node, reference));
}

/**
 * Whether some node is known not to have an image. Its silence does not say so where its list of images, or of one's
 * names, may go on; nor of a digest whose tag it has, since it knows no digest of an image that was loaded.
 */
export function missingOnSomeNode(nodes: readonly LiveNode[], reference: string): boolean {
  const { repository, tag, digest } = parseReference(reference);
  return (
    nodes.length === 0 ||
    nodes.some((node) => {
      const images = node.status?.images ?? [];
      const cut =
        images.length >= listedImages || images.some(({ names }) => (names ?? []).length >= listedNames);
      const tagged = digest !== undefined && tag !== undefined && says(node, `${repository}:${tag}`);
      return !says(node, reference) && !cut && !tagged;
    })
  );
}

function says({ status }: LiveNode, reference: string): boolean {
  const wanted = parseReference(reference);
  return (status?.images ?? [])
    .flatMap(({ names }) => names ?? [])
    .map(parseReference)
    .some(({ repository, tag, digest }) => {
      if (repository !== wanted.repository) return false;
      return wanted.digest === undefined ? tag === wanted.tag : digest === wanted.digest;
    });
}
