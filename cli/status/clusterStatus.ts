import { namespaceNames } from "../../components/namespaces/traffic";
import type { Cluster } from "../cluster/cluster";
import { certificateItems } from "./certificate";
import { type Item, orUnknown } from "./item";
import { modelItems } from "./models";
import { type Look, podItems } from "./pods";
import { releaseItems } from "./releases";
import { databaseItems, jobItems, storeItems, trackingItems, volumeItems } from "./workloads";

/** All that there is of the platform in a cluster; nothing if it is not there. */
export async function clusterStatus(cluster: Cluster, look: Look): Promise<Item[]> {
  const namespaces = Object.values(namespaceNames);
  const found = await Promise.all([
    orUnknown("release", releaseItems(cluster, namespaces)),
    orUnknown("database", databaseItems(cluster)),
    orUnknown("object store", storeItems(cluster)),
    orUnknown("tracking", trackingItems(cluster)),
    orUnknown("certificate", certificateItems(cluster)),
    orUnknown("volume", volumeItems(cluster, namespaces)),
    orUnknown("model", modelItems(cluster)),
    orUnknown("job", jobItems(cluster, namespaces)),
    orUnknown("pod", podItems(cluster, namespaces, look)),
  ]);
  return found.flat();
}
