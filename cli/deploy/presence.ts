/** What of a stack is in its cluster, whatever its state says. */
import { ownerKeys } from "../../components/namespaces/platformNamespaces";
import type { Cluster } from "../cluster/cluster";
import { type OwnedNamespace, inWords, othersOf, ownOf, ownedNamespaces } from "../cluster/whose";
import type { Owner } from "../engine/owner";
import type { StateResource } from "../engine/state";
import { UserError } from "../errors";
import { listed } from "../../config/words";
import type { ClusterTarget } from "../target";

type Where = Pick<ClusterTarget, "cluster" | "context" | "stack">;

/** The platform's namespaces that are there and no other stack's. */
export interface Presence {
  /** This stack's: they bear its mark, or none and its state has them. */
  readonly own: readonly OwnedNamespace[];
  /** They do not say whose they are, and this stack's state knows nothing of them. */
  readonly unmarked: readonly OwnedNamespace[];
}

/**
 * What is there of a stack.
 *
 * @param known namespaces in its state.
 * @throws UserError something is another stack's, or of another state.
 */
export async function ownPart(
  { cluster, context, stack }: Where,
  owner: Owner,
  known: readonly string[] = [],
): Promise<Presence> {
  const there = await ownedNamespaces(cluster, known);
  const others = othersOf(there, owner);
  const [first] = others;
  const own = ownOf(there, owner, known);
  if (first === undefined) return { own, unmarked: there.filter((one) => !own.includes(one)) };
  throw new UserError(
    `nothing was removed: what is in context ${context.name} (${spaces(others)}) belongs to ${inWords(first.mark)}; this ` +
      `is stack ${stack}, with its state in ${owner.state}. Remove that one from there. If this one was there before, in a ` +
      `cluster that is gone: npm run down -- --stack ${stack} --forget`,
  );
}

/**
 * Whether nothing is there that a removal would take.
 *
 * @param state the namespaces in it, whether it has nothing at all, and whether data are to go: retained ones are in no state.
 * @throws UserError data are to go, and all that is there may be another stack's.
 */
export function isAbsent(
  where: Omit<Where, "cluster">,
  owner: Owner,
  { own, unmarked }: Presence,
  { known, empty, data }: { known: readonly string[]; empty: boolean; data: boolean },
): boolean {
  if (own.length > 0) return empty && !data;
  if (empty && data && unmarked.length > 0)
    throw new UserError(`nothing was removed: ${aboutUnmarked(where, owner, unmarked)}`);
  return empty || known.length > 0;
}

/** Says what becomes of namespaces that may be anyone's, and what their owner does. */
export function aboutUnmarked(
  { context, stack }: Omit<Where, "cluster">,
  owner: Owner,
  unmarked: readonly OwnedNamespace[],
): string {
  const names = unmarked.map(({ name }) => name).join(" ");
  const kubectl = `kubectl --context ${context.name}`;
  const [stay, them, are] = unmarked.length === 1 ? ["stays", "it", "it is"] : ["stay", "them", "they are"];
  return (
    `${spaces(unmarked)} in ${context.name} may be another stack's, and ${stay}: no mark says whose, and the state of ` +
    `stack ${stack}, in ${owner.state}, knows nothing of ${them}. If nobody needs ${them}, with all the data there: ` +
    `${kubectl} delete namespace ${names}. If ${are} this stack's: ${kubectl} annotate namespace ${names} ` +
    `${ownerKeys.id}=${owner.id} ${ownerKeys.stack}=${stack}; then run this again.`
  );
}

/** Whether something in the cluster may be this stack's. @param known namespaces in its state. @throws Refused */
export async function mayBeThere(cluster: Cluster, owner: Owner, known: readonly string[]): Promise<boolean> {
  const there = await ownedNamespaces(cluster, known);
  return there.some(({ mark }) => mark === undefined || mark.id === owner.id);
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
  const left = (await ownedNamespaces(cluster, removed)).filter(({ name }) => removed.includes(name));
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
