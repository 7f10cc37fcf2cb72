import type { V1PersistentVolume } from "@kubernetes/client-node";

import type { Cluster } from "../../cli/cluster/cluster";
import { namespaceNames } from "../../components/namespaces/traffic";
import { loadNamespace } from "./load";

const namespaces: readonly string[] = [...Object.values(namespaceNames), loadNamespace];

/** Kinds that belong to no namespace, of which charts of the platform make some; those are Seldon's. */
const clusterKinds = {
  CustomResourceDefinition: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
  ValidatingWebhookConfiguration: "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
  MutatingWebhookConfiguration: "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
  ClusterRole: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
  ClusterRoleBinding: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
} as const;

interface Named {
  readonly metadata: { readonly name: string };
}

/** What of the platform is in the cluster, as `Kind name`. */
export async function leftovers(cluster: Cluster): Promise<string[]> {
  const kinds = Object.entries(clusterKinds).map(async ([kind, address]) => {
    const objects = await cluster.list<Named>(address);
    return objects.filter(({ metadata }) => metadata.name.includes("seldon")).map(named(kind));
  });
  const own = (await cluster.list<Named>("/api/v1/namespaces"))
    .filter(({ metadata }) => namespaces.includes(metadata.name))
    .map(named("Namespace"));
  const volumes = (await cluster.list<V1PersistentVolume & Named>("/api/v1/persistentvolumes"))
    .filter(({ spec }) => namespaces.includes(spec?.claimRef?.namespace ?? ""))
    .map(named("PersistentVolume"));
  return [...own, ...volumes, ...(await Promise.all(kinds)).flat()];
}

function named(kind: string): (object: Named) => string {
  return ({ metadata: { name } }) => `${kind} ${name}`;
}
