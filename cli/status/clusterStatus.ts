import { namespaceNames } from "../../components/capabilities";
import type { Cluster } from "../cluster/cluster";
import { UserError } from "../errors";
import { backend } from "../serving/backend";
import {
  type DeclaredStatus,
  declaredStatus,
  endingItems,
  fileItems,
  missingItems,
  nothing,
  unreadable,
} from "./declaredItems";
import { objectDrift, releaseDrift } from "./drift";
import { ingressItems } from "./ingresses";
import { jobItems } from "./jobs";
import { type Item, orUnknown, parts } from "./item";
import { modelItems } from "./models";
import { type Look, podItems } from "./pods";
import { releaseItems } from "./releases";
import { databaseItems, frontendItems, operatorItems, storeItems, trackingItems } from "./workloads";
import { volumeItems } from "./volumes";

/**
 * The status of a stack in its cluster.
 *
 * @param named whether the user has named the stack: what it declares is then looked up though it was not brought up
 * from here.
 */
export async function stackStatus(
  cluster: Cluster,
  stack: string,
  look: Look,
  named: boolean,
): Promise<Item[]> {
  let declared: DeclaredStatus | undefined;
  const wrong: Item[] = [];
  try {
    declared = await declaredStatus(stack, named);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    wrong.push(unreadable(stack, error));
  }
  return [...wrong, ...(await clusterStatus(cluster, look, declared))];
}

/**
 * All that there is of the platform in a cluster, and what the stack declares beside; nothing if there is neither.
 *
 * @param declared what the stack declares. @default nothing
 */
export async function clusterStatus(
  cluster: Cluster,
  look: Look,
  declared: DeclaredStatus = nothing,
): Promise<Item[]> {
  const namespaces = Object.values(namespaceNames);
  const { objects, elsewhere } = declared;
  const found = await Promise.all([
    orUnknown("release", releaseItems(cluster, namespaces)),
    orUnknown("database", databaseItems(cluster)),
    orUnknown("object store", storeItems(cluster)),
    orUnknown("tracking", trackingItems(cluster)),
    orUnknown("operator", operatorItems(cluster)),
    orUnknown("front end", frontendItems(cluster)),
    orUnknown("ingress", ingressItems(cluster, namespaces)),
    orUnknown("certificate", backend.certificates(cluster)),
    orUnknown("volume", volumeItems(cluster, namespaces)),
    orUnknown("model", modelItems(cluster)),
    orUnknown("model", fileItems(cluster)),
    orUnknown("job", jobItems(cluster, namespaces)),
    orUnknown("pod", podItems(cluster, namespaces, look)),
    orUnknown("namespace", endingItems(cluster, namespaces, look)),
    orUnknown("workload", objectDrift(cluster, declared)),
    orUnknown("workload", releaseDrift(cluster, declared)),
  ]);
  const items = found.flat();
  const all = [...items, ...elsewhere, ...missingItems(objects, items)];
  return all.sort((one, other) => parts.indexOf(one.part) - parts.indexOf(other.part));
}
