import type { V1Job } from "@kubernetes/client-node";

import { type NamespaceRole, namespaceNames } from "../../components/capabilities";
import type { Cluster } from "../cluster/cluster";
import { UserError } from "../errors";
import { backend } from "../serving/backend";

/** Something that has logs: all pods of a namespace with some labels. */
export interface Source {
  /** As the user names it. */
  readonly name: string;
  readonly kind: "front end" | "job" | "model" | "platform" | "training";
  readonly namespace: string;
  /** Selector by labels. */
  readonly labels: string;
}

/** Parts of the platform, each alone in its namespace. */
const platform: Readonly<Partial<Record<NamespaceRole, string>>> = {
  tracking: "mlflow",
  database: "postgres",
  objectStore: "minio",
  servingOperator: "operator",
  frontend: "frontend",
};

/** Kubernetes gives it to the pods of Jobs. */
export const jobLabel = "batch.kubernetes.io/job-name";

/** All that has logs: models, parts of the platform, trainings and other Jobs. @throws Refused */
export async function logSources(cluster: Cluster): Promise<Source[]> {
  const namespaces = Object.values(namespaceNames);
  const [models, present, ...jobs] = await Promise.all([
    backend.models(cluster),
    namespacesWithPods(cluster),
    ...namespaces.map((namespace) => cluster.list<V1Job>(`/apis/batch/v1/namespaces/${namespace}/jobs`)),
  ]);
  return [
    ...models.map(({ name, resource, namespace }): Source => ({
      name,
      kind: "model",
      namespace,
      labels: `${backend.label}=${resource}`,
    })),
    ...present.map(([role, name]): Source => ({
      name,
      kind: role === "frontend" ? "front end" : "platform",
      namespace: namespaceNames[role],
      labels: `!${jobLabel}`,
    })),
    ...jobs.flat().map(({ metadata: { name = "", namespace = "" } = {} }): Source => ({
      name,
      kind: /-train-[0-9a-f]+$/.test(name) ? "training" : "job",
      namespace,
      labels: `${jobLabel}=${name}`,
    })),
  ];
}

async function namespacesWithPods(cluster: Cluster): Promise<[NamespaceRole, string][]> {
  const entries = Object.entries(platform) as [NamespaceRole, string][];
  const found = await Promise.all(
    entries.map(async (entry) => {
      const selector = `labelSelector=${encodeURIComponent(`!${jobLabel}`)}&limit=1`;
      const pods = await cluster.list(`/api/v1/namespaces/${namespaceNames[entry[0]]}/pods?${selector}`);
      return pods.length > 0 ? [entry] : [];
    }),
  );
  return found.flat();
}

/**
 * The one that the user names; a training or another Job goes by the beginning of its name too, if no other has it.
 *
 * @throws UserError there is none; says what there is.
 */
export function findSource(sources: readonly Source[], name: string, context: string): Source {
  const exact = sources.find((source) => source.name === name);
  const [like, ...others] = sources.filter((source) => source.name.startsWith(name));
  const found = exact ?? (others.length === 0 ? like : undefined);
  if (found !== undefined) return found;
  if (sources.length === 0)
    throw new UserError(
      `${name}: nothing of the platform is in the cluster of context ${context}. Start it: npm run up`,
    );
  const names = (others.length === 0 ? sources : sources.filter((each) => each.name.startsWith(name))).map(
    (source) => source.name,
  );
  const wrong = others.length === 0 ? `nothing called ${name} has logs` : `${name} may be one of several`;
  throw new UserError(`${wrong} in the cluster of context ${context}. There is: ${names.join(", ")}.`);
}
