import type { V1Pod } from "@kubernetes/client-node";

import type { Cluster, Live } from "../cluster/cluster";
import type { Diagnosis } from "../cluster/diagnosis/diagnosis";
import type { Item } from "./item";

/** Says why things in some namespaces are not ready. */
export type Look = (namespaces: readonly string[]) => Promise<readonly Diagnosis[]>;

/** The pods of some namespaces that are not ready, and why. Those of Jobs that failed are told of as Jobs. @throws Refused */
export async function podItems(
  cluster: Cluster,
  namespaces: readonly string[],
  look: Look,
): Promise<readonly Item[]> {
  const lists = await Promise.all(
    namespaces.map((namespace) => cluster.list<V1Pod>(`/api/v1/namespaces/${namespace}/pods`)),
  );
  const unready = lists.flat().filter((pod) => !hasEnded(pod) && !isReady(pod));
  if (unready.length === 0) return [];
  const findings = await look([...new Set(unready.map(({ metadata }) => metadata?.namespace ?? ""))]);
  return unready.map((pod) =>
    podItem(
      pod,
      findings.find((finding) => concerns(finding, pod)),
    ),
  );
}

function podItem({ metadata, status }: Live<V1Pod>, finding: Diagnosis | undefined): Item {
  const own = { part: "pod", name: `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}` } as const;
  if (metadata?.deletionTimestamp !== undefined)
    return { ...own, health: "warning", state: "ending", detail: `since ${metadata.deletionTimestamp}` };
  const unmet = status?.conditions?.find(
    ({ status: is, message }) => is === "False" && message !== undefined,
  );
  return {
    ...own,
    health: isOfJob(metadata) ? "warning" : "ill",
    state: "not ready",
    detail: finding?.what ?? unmet?.message ?? status?.phase ?? "",
    ...(finding?.mend === undefined ? {} : { mend: finding.mend }),
    ...(finding?.log === undefined ? {} : { facts: { log: finding.log } }),
  };
}

function concerns({ object, container }: Diagnosis, { metadata }: Live<V1Pod>): boolean {
  const isPod = object.kind === "Pod" && object.name === metadata?.name;
  return object.namespace === metadata?.namespace && (isPod || container?.pod === metadata.name);
}

/** A pod of a Job ends by itself, and is not ready meanwhile if nobody asks it. */
function isOfJob(metadata: Live<V1Pod>["metadata"]): boolean {
  return metadata?.ownerReferences?.some(({ kind }) => kind === "Job") ?? false;
}

function hasEnded({ metadata, status }: Live<V1Pod>): boolean {
  return status?.phase === "Succeeded" || (isOfJob(metadata) && status?.phase === "Failed");
}

function isReady({ status }: Live<V1Pod>): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;
}
