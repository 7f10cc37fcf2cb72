import type { V1PersistentVolumeClaim } from "@kubernetes/client-node";

import type { Cluster } from "../cluster/cluster";
import { inBytes } from "../cluster/diagnosis/quantity";
import { type DiskSpace, diskSpaces } from "../cluster/diskSpace";
import type { Item } from "./item";

/** MinIO refuses to write when less than this is free, and databases stop soon after. */
const fullBelow = 0.01;
const lowBelow = 0.1;

/**
 * The volumes of some namespaces: size, phase, and how much is free.
 *
 * @param measure what is free, by `namespace/claim`. @default asks the pods
 * @throws Refused
 */
export async function volumeItems(
  cluster: Cluster,
  namespaces: readonly string[],
  measure = diskSpaces,
): Promise<readonly Item[]> {
  const [claims, spaces] = await Promise.all([
    Promise.all(
      namespaces.map((namespace) =>
        cluster.list<V1PersistentVolumeClaim>(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`),
      ),
    ),
    measure(cluster, namespaces),
  ]);
  return claims.flat().map(({ metadata, spec, status }) => {
    const name = `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
    const phase = status?.phase ?? "unknown";
    const size = status?.capacity?.["storage"] ?? spec?.resources?.requests?.["storage"] ?? "?";
    const storageClass = spec?.storageClassName;
    const what = `${size}${storageClass === undefined ? "" : ` of class ${storageClass}`}`;
    const own = { part: "volume", name } as const;
    if (phase !== "Bound")
      return { ...own, health: "ill", state: phase, detail: what, mend: "npm run doctor" };
    const space = spaces.get(name);
    return space === undefined
      ? { ...own, health: "well", state: phase, detail: what }
      : { ...own, ...filled(space, what) };
  });
}

function filled(
  space: DiskSpace,
  what: string,
): Pick<Item, "health" | "state" | "detail" | "mend" | "facts"> {
  const free = space.free / space.size;
  const detail = `${what}, ${inBytes(space.free)} of ${inBytes(space.size)} free`;
  const facts = { sizeBytes: space.size, freeBytes: space.free };
  if (free >= lowBelow) return { health: "well", state: "Bound", detail, facts };
  const mend =
    "Make room, or a larger volume: objectStore.storage.size or database.storage.size, where the storage class lets volumes grow";
  return free < fullBelow
    ? { health: "ill", state: "full", detail, mend, facts }
    : { health: "warning", state: "nearly full", detail, mend, facts };
}
