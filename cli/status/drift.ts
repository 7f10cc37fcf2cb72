import { type Cluster, Refused } from "../cluster/cluster";
import { KnownKinds, type ObjectName, inWords } from "../cluster/kinds";
import { changedPlace } from "../deploy/changedPlace";
import { restoreReleases } from "../deploy/restore";
import { backend } from "../serving/backend";
import type { DeclaredStatus } from "./declaredItems";
import type { Item } from "./item";

const gone = { health: "ill", state: "gone", mend: "npm run up" } as const;

/** What of the stack's releases was deleted or changed by hand; nothing for those who may not look. @throws Refused */
export async function releaseDrift(cluster: Cluster, { objects }: DeclaredStatus): Promise<Item[]> {
  const looked = restoreReleases(cluster, objects, { detail: () => undefined }, "look");
  const found = await unlessForbidden(looked, []);
  return found.flatMap(({ object: name, was, problem }): Item[] => {
    // What may not be compared is not known to be wrong.
    if (problem !== undefined) return [];
    const detail = was === "gone" ? "its release has installed it" : "is not as its release has it";
    return [{ ...gone, part: "workload", name, state: was, detail }];
  });
}

/**
 * What the program itself makes and the cluster lacks, or has otherwise. What a namespace holds goes with it, and is not
 * listed beside.
 *
 * @throws Refused
 */
export async function objectDrift(
  cluster: Cluster,
  { others, models, varying }: DeclaredStatus,
): Promise<Item[]> {
  const kinds = new KnownKinds(cluster);
  const found = await Promise.all(
    [...others, ...models].map(async (object) => ({ object, live: await liveOf(cluster, kinds, object) })),
  );
  const missing = found.flatMap(({ object, live }) => (live === undefined ? [object] : []));
  const namespaces = missing.flatMap(({ kind, metadata }) => (kind === "Namespace" ? metadata.name : []));
  const varies = (text: string) => varying.includes(text);
  return found.flatMap(({ object: { kind, metadata, meant }, live }): Item[] => {
    const { name, namespace = "" } = metadata;
    if (live === "unknown") return [];
    if (live === undefined) {
      const detail = "the stack declares it, and it is not in the cluster";
      if (kind === "Namespace") return [{ ...gone, part: "namespace", name, detail }];
      // A model that is not there is missing, which its own line says.
      if (namespaces.includes(namespace) || kind === backend.kind) return [];
      return [{ ...gone, part: "workload", name: inWords(kind, namespace, name), detail }];
    }
    const place = changedPlace(meant, live, varies);
    if (place === undefined) return [];
    const detail = `its ${place} is not as the stack declares it`;
    const part = kind === "Namespace" ? "namespace" : "workload";
    const shown = kind === "Namespace" ? name : inWords(kind, namespace, name);
    // What was added to it stays when it is applied anew.
    const mend =
      kind === "NetworkPolicy"
        ? `kubectl --context ${cluster.context} -n ${namespace} delete networkpolicy ${name} && npm run up`
        : gone.mend;
    return [{ ...gone, state: "changed", mend, part, name: shown, detail }];
  });
}

/** The object as it is; `unknown` if it may not be read: nobody can tell then that it is gone. */
async function liveOf(cluster: Cluster, kinds: KnownKinds, object: ObjectName) {
  const address = await kinds.addressOf(object);
  if (address === undefined) return undefined;
  return unlessForbidden(cluster.get<Readonly<Record<string, unknown>>>(address), "unknown" as const);
}

/** The answer, or another one for those who may not ask. @throws Refused for any other reason */
async function unlessForbidden<T, U>(answer: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Refused && error.status === 403) return otherwise;
    throw error;
  }
}
