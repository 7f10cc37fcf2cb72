import type { V1CustomResourceDefinition, V1Namespace } from "@kubernetes/client-node";

import { namespaceNames } from "../../../components/capabilities";
import { seldonChartName } from "../../../pins";
import type { Cluster } from "../../cluster/cluster";
import { namespaceAddress } from "../../cluster/whose";
import { definitionAddress, seldonDeployments } from "./resource";

/**
 * Removes the definition that the platform's operator, now gone, has left, unless somebody has a SeldonDeployment.
 *
 * @returns what was removed, in words.
 */
export async function removeUnusedDefinition(cluster: Cluster): Promise<string | undefined> {
  const found = await cluster.get<V1CustomResourceDefinition>(definitionAddress);
  if (found?.metadata?.annotations?.["meta.helm.sh/release-name"] !== seldonChartName) return undefined;
  const home = await cluster.get<V1Namespace>(namespaceAddress(namespaceNames.servingOperator));
  if (home !== undefined || (await seldonDeployments(cluster)).length > 0) return undefined;
  await cluster.remove(definitionAddress);
  return "definition of SeldonDeployments";
}
