import type { V1PersistentVolumeClaim } from "@kubernetes/client-node";

import type { Cluster } from "./cluster";

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
