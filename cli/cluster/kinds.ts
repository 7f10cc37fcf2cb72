import type { Cluster } from "./cluster";

/** What tells an object of a cluster from all others. */
export interface ObjectName {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** An object of the cluster in words: `Pod mlflow-0 in mlflow`, `Namespace mlflow`. */
export function inWords(kind: string, namespace: string, name: string): string {
  return namespace === "" || kind === "Namespace" ? `${kind} ${name}` : `${kind} ${name} in ${namespace}`;
}

/** Kinds that belong to no namespace, of which charts of the platform make some; those are the operator's. */
export const clusterKinds = {
  CustomResourceDefinition: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
  ValidatingWebhookConfiguration: "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
  MutatingWebhookConfiguration: "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
  ClusterRole: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
  ClusterRoleBinding: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
} as const;

/** Where each kind of a group's version stands. */
interface Kinds {
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
  }[];
}

/** Where the API server has the objects of each kind; it is asked once for each group. */
export class KnownKinds {
  private readonly groups = new Map<string, Promise<Kinds | undefined>>();

  constructor(private readonly cluster: Cluster) {}

  /**
   * The address of an object; undefined if the cluster does not know its kind.
   *
   * @param namespace of an object that names none. @default none
   */
  async addressOf({ apiVersion, kind, metadata }: ObjectName, namespace = ""): Promise<string | undefined> {
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    let asked = this.groups.get(root);
    if (asked === undefined) this.groups.set(root, (asked = this.cluster.get<Kinds>(root)));
    const found = (await asked)?.resources?.find((one) => one.kind === kind && !one.name.includes("/"));
    if (found === undefined) return undefined;
    const within = found.namespaced ? `/namespaces/${metadata.namespace ?? namespace}` : "";
    return `${root}${within}/${found.name}/${metadata.name}`;
  }
}
