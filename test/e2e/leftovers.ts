import type { Cluster } from "../../cli/cluster/cluster";
import { namespaceNames } from "../../components/namespaces/traffic";
import { visitorNamespace } from "./visitor";

const namespaces: readonly string[] = [...Object.values(namespaceNames), visitorNamespace];

/** Kinds that belong to no namespace, of which charts of the platform make some; those are Seldon's. */
const clusterKinds = {
  CustomResourceDefinition: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
  ValidatingWebhookConfiguration: "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
  MutatingWebhookConfiguration: "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
  ClusterRole: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
  ClusterRoleBinding: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
} as const;

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
