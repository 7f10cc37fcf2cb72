import { type Cluster, Refused } from "../cluster/cluster";
import { KnownKinds, type ObjectName, inWords } from "../cluster/kinds";
import { restoreReleases } from "../deploy/restore";
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

/** What the program itself makes and the cluster lacks. What a namespace holds goes with it, and is not listed beside. @throws Refused */
export async function goneItems(cluster: Cluster, { others }: DeclaredStatus): Promise<Item[]> {
  const kinds = new KnownKinds(cluster);
  const there = await Promise.all(others.map((object) => isThere(cluster, kinds, object)));
  const missing = others.filter((_, index) => there[index] === false);
  const namespaces = missing.flatMap(({ kind, metadata }) => (kind === "Namespace" ? metadata.name : []));
  const detail = "the stack declares it, and it is not in the cluster";
  return missing.flatMap(({ kind, metadata: { name, namespace } }): Item[] => {
    if (kind === "Namespace") return [{ ...gone, part: "namespace", name, detail }];
    if (namespace !== undefined && namespaces.includes(namespace)) return [];
    return [{ ...gone, part: "workload", name: inWords(kind, namespace ?? "", name), detail }];
  });
}

async function isThere(cluster: Cluster, kinds: KnownKinds, object: ObjectName): Promise<boolean> {
  const address = await kinds.addressOf(object);
  // Of what may not be read nobody can tell that it is gone.
  return address !== undefined && (await unlessForbidden(cluster.get(address), {})) !== undefined;
}

/** The answer, or another one for those who may not ask. @throws Refused for any other reason */
async function unlessForbidden<T>(answer: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Refused && error.status === 403) return otherwise;
    throw error;
  }
}
