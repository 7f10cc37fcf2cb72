import type { V1Ingress } from "@kubernetes/client-node";

import type { Cluster } from "../cluster/cluster";
import { ingressFaults, needsOf } from "../cluster/ingresses";
import type { Item } from "./item";

/** The ways in from outside: whether a controller has taken them up, and what they lack. @throws Refused */
export async function ingressItems(
  cluster: Cluster,
  namespaces: readonly string[],
): Promise<readonly Item[]> {
  const lists = await Promise.all(
    namespaces.map((namespace) =>
      cluster.list<V1Ingress>(`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`),
    ),
  );
  const items = lists.flat().map(async (ingress): Promise<Item[]> => {
    const { metadata, spec, status } = ingress;
    const hosts = (spec?.rules ?? []).flatMap(({ host }) => host ?? []).join(", ");
    const addresses = (status?.loadBalancer?.ingress ?? []).flatMap(
      ({ ip, hostname }) => ip ?? hostname ?? [],
    );
    const own = { part: "ingress", name: `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}` } as const;
    const faults = await ingressFaults(cluster, needsOf(ingress));
    if (faults.length > 0)
      return faults.map(({ what, mend }) => ({
        ...own,
        health: "ill",
        state: "incomplete",
        detail: what,
        mend,
      }));
    // Not every controller tells an address.
    return addresses.length === 0
      ? [{ ...own, health: "warning", state: "no address", detail: `${hosts}: its controller has told none` }]
      : [{ ...own, health: "well", state: "taken up", detail: `${hosts} at ${addresses.join(", ")}` }];
  });
  return (await Promise.all(items)).flat();
}
