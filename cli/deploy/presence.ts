/** What of a stack is in its cluster, whatever its state says. */
import type { Cluster } from "../cluster/cluster";
import { type OwnedNamespace, inWords, othersOf, ownedNamespaces } from "../cluster/whose";
import type { Owner } from "../engine/owner";
import type { StateResource } from "../engine/state";
import { UserError } from "../errors";
import { listed } from "../preflight/problem";
import type { ClusterTarget } from "../target";

/**
 * The platform's namespaces that are there, which may be this stack's.
 *
 * @throws UserError they are another stack's, or of another state.
 */
export async function ownPart(
  { cluster, context, stack }: Pick<ClusterTarget, "cluster" | "context" | "stack">,
  owner: Owner,
): Promise<OwnedNamespace[]> {
  const there = await ownedNamespaces(cluster);
  const others = othersOf(there, owner);
  const [first] = others;
  if (first === undefined) return there;
  throw new UserError(
    `nothing was removed: what is in context ${context.name} (${spaces(others)}) belongs to ${inWords(first.mark)}; this ` +
      `is stack ${stack}, with its state in ${owner.state}. Remove that one from there. If this one was there before, in a ` +
      `cluster that is gone: npm run down -- --stack ${stack} --forget`,
  );
}

/** Whether something in the cluster may be this stack's. @throws Refused */
export async function mayBeThere(cluster: Cluster, owner: Owner): Promise<boolean> {
  return (await ownedNamespaces(cluster)).some(({ mark }) => mark === undefined || mark.id === owner.id);
}

/** The names of the namespaces in a state. */
export function namespacesIn(resources: readonly StateResource[]): string[] {
  return resources.flatMap(({ type, id }) => (type === "kubernetes:core/v1:Namespace" ? (id ?? []) : []));
}

/**
 * Checks that what was removed is gone.
 *
 * @param removed names of namespaces.
 * @param told what the engine has counted.
 * @throws UserError one is still there.
 */
export async function requireGone(
  { cluster, context }: Pick<ClusterTarget, "cluster" | "context">,
  removed: readonly string[],
  told: string,
): Promise<void> {
  const left = (await ownedNamespaces(cluster)).filter(({ name }) => removed.includes(name));
  if (left.length === 0) return;
  throw new UserError(
    `${told}, and still in ${context.name}: ${spaces(left)}. See what holds them: kubectl --context ${context.name} get ` +
      `namespace ${left[0]?.name ?? ""} -o yaml; then run this again.`,
  );
}

/** "namespaces mlflow and postgres". */
export function spaces(namespaces: readonly { readonly name: string }[]): string {
  return `namespace${namespaces.length === 1 ? "" : "s"} ${listed(namespaces.map(({ name }) => name))}`;
}
