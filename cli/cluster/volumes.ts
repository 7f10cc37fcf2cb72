import type { V1PersistentVolumeClaim, V1StatefulSet } from "@kubernetes/client-node";

import type { Cluster, Live } from "./cluster";

/** The volumes of some namespaces. What cannot be seen is not told. */
export async function volumesOf(
  cluster: Cluster,
  namespaces: readonly string[],
): Promise<{ readonly name: string; readonly size: string }[]> {
  const lists = await Promise.all(
    namespaces.map((namespace) =>
      cluster
        .list<V1PersistentVolumeClaim>(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`)
        .catch(() => []),
    ),
  );
  return lists.flat().map(({ metadata, spec, status }) => ({
    name: `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`,
    size: status?.capacity?.["storage"] ?? spec?.resources?.requests?.["storage"] ?? "unknown size",
  }));
}

/**
 * The template by which a StatefulSet makes a claim; undefined if the claim is none of its own.
 *
 * @param owner the StatefulSet's name.
 * @param claim the claim's.
 */
export function templateOf({ spec }: Live<V1StatefulSet>, owner: string, claim: string) {
  return (spec?.volumeClaimTemplates ?? []).find(({ metadata }) =>
    claim.startsWith(`${metadata?.name ?? ""}-${owner}-`),
  );
}
