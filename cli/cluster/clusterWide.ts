/** What the platform has outside of every namespace: it does not go with one. */
import { namespaceNames } from "../../components/capabilities";
import { backend } from "../serving/backend";
import type { ClusterTarget } from "../target";
import { type Cluster, Refused } from "./cluster";
import { clusterKinds } from "./kinds";
import { namespaceAddress } from "./whose";

interface Found {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
}

/**
 * What has stayed of an operator whose namespace is gone, in a sentence with the line that removes it; undefined if
 * nothing has.
 */
export async function clusterWideRest({
  cluster,
  context,
}: Pick<ClusterTarget, "cluster" | "context">): Promise<string | undefined> {
  const operator = `release ${backend.chart} of namespace ${namespaceNames.servingOperator}`;
  try {
    if ((await cluster.get(namespaceAddress(namespaceNames.servingOperator))) !== undefined) return undefined;
    const rest = await ofOperator(cluster);
    if (rest.length === 0) return undefined;
    const hasDefinition = rest.some((one) => one.startsWith("CustomResourceDefinition "));
    return (
      `Outside of every namespace there stay, of ${operator}, which is gone: ${rest.join(", ")}. ` +
      (hasDefinition
        ? `With the definition go all ${backend.kind}s of the cluster, whoever made them. `
        : "") +
      `To remove what stays: kubectl --context ${context.name} delete ` +
      rest.map((one) => one.replace(" ", "/").toLowerCase()).join(" ")
    );
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return `What stays of ${operator} outside of every namespace cannot be seen: ${error.message}`;
  }
}

/** As `Kind name`, by the mark that Helm puts on them. */
async function ofOperator(cluster: Cluster): Promise<string[]> {
  const lists = Object.entries(clusterKinds).map(async ([kind, address]) => {
    const found = await cluster.list<Found>(address);
    const own = found.filter(
      ({ metadata: { annotations = {} } }) =>
        annotations["meta.helm.sh/release-name"] === backend.chart &&
        annotations["meta.helm.sh/release-namespace"] === namespaceNames.servingOperator,
    );
    return own.map(({ metadata }) => `${kind} ${metadata.name}`);
  });
  return (await Promise.all(lists)).flat();
}
