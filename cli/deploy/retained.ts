import { setTimeout as sleep } from "node:timers/promises";

import type { V1CustomResourceDefinition, V1Namespace } from "@kubernetes/client-node";

import { namespaceNames } from "../../components/capabilities";
import type { Cluster } from "../cluster/cluster";
import { definitionAddress, seldonDeployments } from "../cluster/servedModels";
import { namespaceAddress, ownOf, ownedNamespaces } from "../cluster/whose";
import type { Owner } from "../engine/owner";
import { UserError } from "../errors";
import { seldonChartName } from "../../pins";
import type { Step } from "../progress";

const patienceMilliseconds = 180_000;
const pauseMilliseconds = 1_000;

/**
 * Removes what outlives a stack of staging or prod on purpose: the namespaces of its data, and the definition of
 * SeldonDeployments, unless others have some.
 *
 * @param known namespaces that the stack's state had. Of the others those go that bear its mark.
 * @returns what was removed, in words.
 * @throws UserError a namespace does not go.
 */
export async function removeRetained(
  cluster: Cluster,
  owner: Owner,
  known: readonly string[],
  step: Step,
  signal: AbortSignal,
): Promise<string[]> {
  const own = ownOf(await ownedNamespaces(cluster, known), owner, known);
  const namespaces = own.map(({ name }) => name);
  for (const name of namespaces) await cluster.remove(namespaceAddress(name));
  const removed = namespaces.map((name) => `namespace ${name}`);
  const deadline = Date.now() + patienceMilliseconds;
  for (const name of namespaces) {
    while ((await cluster.get<V1Namespace>(namespaceAddress(name))) !== undefined) {
      step.detail(`waiting until namespace ${name} is gone`);
      if (Date.now() > deadline)
        throw new UserError(
          `namespace ${name} does not go. See what holds it: kubectl get namespace ${name} -o yaml; then run this again.`,
        );
      await sleep(pauseMilliseconds, undefined, { signal }).catch(() => undefined);
      signal.throwIfAborted();
    }
  }
  if (await isUnused(cluster)) {
    await cluster.remove(definitionAddress);
    removed.push("definition of SeldonDeployments");
  }
  return removed;
}

/** Whether the platform's operator, now gone, has left its definition, and nobody has a SeldonDeployment. */
async function isUnused(cluster: Cluster): Promise<boolean> {
  const found = await cluster.get<V1CustomResourceDefinition>(definitionAddress);
  if (found?.metadata?.annotations?.["meta.helm.sh/release-name"] !== seldonChartName) return false;
  const home = await cluster.get<V1Namespace>(namespaceAddress(namespaceNames.servingOperator));
  return home === undefined && (await seldonDeployments(cluster)).length === 0;
}
