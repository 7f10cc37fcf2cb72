import type { V1Namespace } from "@kubernetes/client-node";

import { ownership } from "../../components/kubernetes";
import { ownerKeys } from "../../components/namespaces/platformNamespaces";
import { namespaceNames } from "../../components/namespaces/traffic";
import type { Owner } from "../engine/owner";
import type { Cluster, Live } from "./cluster";

/** The mark on a namespace: whose it is. */
export interface Mark extends Owner {
  readonly stack: string;
}

/** A namespace of the platform that is in the cluster. */
export interface OwnedNamespace {
  readonly name: string;
  /** Undefined if it bears no mark: an older version, or plain Pulumi, has made it. */
  readonly mark: Mark | undefined;
}

/** The platform's namespaces that are there, by their label: the state of a removed stack knows them no more. @throws Refused */
export async function ownedNamespaces(cluster: Cluster): Promise<OwnedNamespace[]> {
  const key = "app.kubernetes.io/part-of";
  const label = encodeURIComponent(`${key}=${ownership[key]}`);
  const found = await cluster.list<V1Namespace>(`/api/v1/namespaces?labelSelector=${label}`);
  const own: readonly string[] = Object.values(namespaceNames);
  return found
    .map((namespace) => ({ name: namespace.metadata?.name ?? "", mark: markOf(namespace) }))
    .filter(({ name }) => own.includes(name));
}

/** Whose a namespace is; undefined if it does not say. */
export function markOf({ metadata }: Pick<Live<V1Namespace>, "metadata">): Mark | undefined {
  const {
    [ownerKeys.id]: id,
    [ownerKeys.stack]: stack = "",
    [ownerKeys.state]: state = "",
  } = metadata?.annotations ?? {};
  return id === undefined ? undefined : { id, stack, state };
}

/** The namespaces that bear another's mark. */
export function othersOf(namespaces: readonly OwnedNamespace[], { id }: Owner) {
  return namespaces.flatMap(({ name, mark }) =>
    mark === undefined || mark.id === id ? [] : [{ name, mark }],
  );
}

/** A stack and its state: "stack dev, whose state is in laptop:/home/ann/platform/.mlplatform/state". */
export function inWords({ stack, state }: Mark): string {
  return `stack ${stack}, whose state is in ${state}`;
}
