import type { V1Namespace } from "@kubernetes/client-node";

import { ownership } from "../../components/kubernetes";
import { ownerKeys } from "../../components/namespaces/platformNamespaces";
import { namespaceNames } from "../../components/capabilities";
import type { Owner } from "../engine/owner";
import type { Cluster, Live } from "./cluster";

/** The label that says what an object is a part of. */
export const partOf = "app.kubernetes.io/part-of";

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

/**
 * The platform's namespaces that are there. Each is asked for by its name, since a label can be taken off; only what the
 * API server says is not there counts as gone.
 *
 * @param known names in the stack's state. The others are the platform's by their label, or by a mark.
 * @throws Refused one may not be looked at.
 */
export async function ownedNamespaces(
  cluster: Cluster,
  known: readonly string[] = [],
): Promise<OwnedNamespace[]> {
  const names = [...new Set([...Object.values(namespaceNames), ...known])];
  const found = await Promise.all(names.map((name) => cluster.get<V1Namespace>(namespaceAddress(name))));
  return names.flatMap((name, index) => {
    const namespace = found[index];
    if (namespace === undefined) return [];
    const mark = markOf(namespace);
    const isLabelled = namespace.metadata?.labels?.[partOf] === ownership[partOf];
    return isLabelled || mark !== undefined || known.includes(name) ? [{ name, mark }] : [];
  });
}

/** Where a namespace stands. */
export function namespaceAddress(name: string): string {
  return `/api/v1/namespaces/${name}`;
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

/** Those that are a stack's: they bear its mark, or none and its state has them. @param known names in its state. */
export function ownOf(namespaces: readonly OwnedNamespace[], { id }: Owner, known: readonly string[]) {
  return namespaces.filter(({ name, mark }) => (mark === undefined ? known.includes(name) : mark.id === id));
}

/** A stack and its state: "stack dev, whose state is in laptop:/home/ann/platform/.mlplatform/state". */
export function inWords({ stack, state }: Mark): string {
  return `stack ${stack}, whose state is in ${state}`;
}
