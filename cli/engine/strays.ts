import { UserError } from "../errors";
import { type RecordedResource, markers } from "../plan/recording";
import { type Deployment, type StateResource, isKubernetes, objectId } from "./state";

/** An object of a cluster, as a manifest names it. */
interface ObjectName {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/**
 * Looks for an object in the cluster.
 *
 * @returns whose it is, by the mark of an owner that it bears; undefined if there is none with the platform's mark.
 */
export type Look = (object: ObjectName) => Promise<{ readonly owner: string | undefined } | undefined>;

/** Where strays are looked for. */
export interface StraySettings {
  readonly look: Look;
  /** The mark on namespaces by which they are this stack's; undefined if none is certain. */
  readonly owner: string | undefined;
}

const namespaceType = "kubernetes:core/v1:Namespace";
export const releaseType = "kubernetes:helm.sh/v3:Release";

/** The objects that a program declares, as a state has them before the cluster was asked. */
export function declaredObjects(resources: readonly RecordedResource[]): StateResource[] {
  return resources.map(({ urn, type, parent, provider, inputs, dependencies, options }) => ({
    ...{ urn, type, parent, provider, inputs, dependencies },
    ...{ custom: true, protect: options.protect === true },
  }));
}

/**
 * The objects that the cluster has and the state has not: an engine or a provider was killed after it had made them, and
 * before that was written down. The provider refuses to make them again.
 *
 * An object is this stack's if it bears the platform's mark and its namespace is in the state; a namespace, if the engine
 * was about to make it, or it bears the stack's own mark.
 *
 * What the state has only to remove it counts too: who goes back from a version that has failed declares again the
 * training that was replaced, and its Job is still there.
 */
export async function straysOf(
  { resources = [], pending_operations: pending = [] }: Deployment,
  declared: readonly StateResource[],
  { look, owner }: StraySettings,
): Promise<StateResource[]> {
  const begun = pending.filter(({ type }) => type === "creating").map(({ resource }) => resource);
  const known = new Set(resources.filter((one) => !isOnItsWayOut(one)).map(keyOf));
  const missing = new Map(
    [...declared.flatMap((one) => withReferences(one, resources)), ...begun]
      .filter((one) => isKubernetes(one) && one.type !== releaseType)
      .map((one) => ({ ...one, id: objectId(one), outputs: {} }))
      .filter((one) => !known.has(keyOf(one)))
      .map((one) => [keyOf(one), one]),
  );
  const find = async (which: (one: StateResource) => boolean, isOwn: typeof isMarked = () => true) => {
    const looks = [...missing.values()].filter(which).map(async (one) => {
      const seen = await look(nameOf(one));
      return seen !== undefined && isOwn(one, seen.owner) ? [one] : [];
    });
    return (await Promise.all(looks)).flat();
  };
  const beginning = new Set(begun.map(({ urn }) => urn));
  const isMarked = ({ urn }: StateResource, mark: string | undefined) =>
    beginning.has(urn) || (owner !== undefined && mark === owner);
  const namespaces = await find(isNamespace, isMarked);
  const own = new Set([...resources, ...namespaces].filter(isNamespace).map(({ id }) => id));
  const others = await find((one) => !isNamespace(one) && own.has(nameOf(one).metadata.namespace));
  refuseLost(namespaces, others);
  // Of what nobody knows before the deployment the cluster tells all.
  return [...namespaces, ...others].map((one) => (isKnown(one) ? one : { ...one, inputs: {} }));
}

/**
 * A namespace that nobody wrote down was just being made, and is empty. One that holds more is of a state that is lost:
 * taken over, its Secrets would get other passwords than its data have.
 *
 * @throws UserError
 */
function refuseLost(namespaces: readonly StateResource[], others: readonly StateResource[]): void {
  const full = namespaces.filter(({ id }) => others.some((one) => nameOf(one).metadata.namespace === id));
  if (full.length === 0) return;
  const names = full.map(({ id }) => id ?? "");
  throw new UserError(
    `namespaces ${names.join(", ")} hold what this stack has made, and its state knows nothing of it. Put the state ` +
      "back from a copy. If it is lost, and the data with it are not needed any more: " +
      `kubectl delete namespace ${names.join(" ")}`,
  );
}

/** A state with strays in it, as the engine would have left it had it come to write them down. */
export function withStrays(
  resources: readonly StateResource[],
  strays: readonly StateResource[],
): StateResource[] {
  const replacing = new Map(strays.map((one) => [one.urn, one]));
  const taken = new Set(strays.map(keyOf));
  const kept = resources.flatMap((one) => {
    if (one.delete === true) return taken.has(keyOf(one)) ? [] : [one];
    const stray = replacing.get(one.urn);
    if (stray === undefined) return [one];
    replacing.delete(one.urn);
    // What it depends on may stand further down.
    const successor = { ...stray, dependencies: [], propertyDependencies: {} };
    return one.pendingReplacement === true ? [successor] : [successor, { ...one, delete: true }];
  });
  return [...kept, ...replacing.values()];
}

/** A declared object with the provider as the state has it, and what else of the state it names; none without provider. */
function withReferences(
  { parent = "", provider = "", dependencies = [], ...one }: StateResource,
  resources: readonly StateResource[],
): StateResource[] {
  const has = (urn: string) => resources.some((each) => each.urn === urn);
  const made = resources.find(({ urn }) => provider.startsWith(urn) && provider !== "");
  if (made === undefined) return [];
  return [
    {
      ...one,
      provider: `${made.urn}::${made.id ?? ""}`,
      dependencies: dependencies.filter(has),
      ...(has(parent) ? { parent } : {}),
    },
  ];
}

function isOnItsWayOut(one: StateResource): boolean {
  return one.pendingReplacement === true || one.delete === true;
}

function isNamespace({ type }: StateResource): boolean {
  return type === namespaceType;
}

function isKnown({ inputs }: StateResource): boolean {
  const text = JSON.stringify(inputs);
  return !Object.values(markers).some((marker) => text.includes(marker));
}

function keyOf({ urn, id = "" }: StateResource): string {
  return `${urn} ${id}`;
}

function nameOf({ type, inputs = {} }: StateResource): ObjectName {
  const [, group = "", kind = ""] = type.split(":");
  const { apiVersion, metadata } = inputs as Partial<ObjectName>;
  return {
    apiVersion: apiVersion ?? group.replace(/^core\//, ""),
    kind,
    metadata: metadata ?? { name: "" },
  };
}
