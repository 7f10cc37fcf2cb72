import type { Cluster } from "../../cli/cluster/cluster";
import { clusterKinds } from "../../cli/cluster/kinds";
import { namespaceNames } from "../../components/capabilities";
import { visitorNamespace } from "./visitor";

const namespaces: readonly string[] = [...Object.values(namespaceNames), visitorNamespace];

/** An object, as far as it is looked at. */
interface Found {
  readonly metadata: { readonly name: string };
  readonly spec?: { readonly claimRef?: { readonly namespace?: string } };
}

/** What of the platform is in the cluster, as `Kind name`. */
export async function leftovers(cluster: Cluster): Promise<string[]> {
  const find = async (kind: string, address: string, isOurs: (object: Found) => boolean) =>
    (await cluster.list<Found>(address)).filter(isOurs).map(({ metadata: { name } }) => `${kind} ${name}`);
  // Waited for together, so that none fails unheard when another one has failed.
  const found = await Promise.all([
    find("Namespace", "/api/v1/namespaces", ({ metadata }) => namespaces.includes(metadata.name)),
    find("PersistentVolume", "/api/v1/persistentvolumes", ({ spec }) =>
      namespaces.includes(spec?.claimRef?.namespace ?? ""),
    ),
    ...Object.entries(clusterKinds).map(([kind, address]) =>
      find(kind, address, ({ metadata }) => metadata.name.includes("seldon")),
    ),
  ]);
  return found.flat();
}
