import { setTimeout as sleep } from "node:timers/promises";

import type { V1CustomResourceDefinition, V1Namespace } from "@kubernetes/client-node";

import type { Cluster } from "../cluster/cluster";
import { definitionAddress, seldonDeployments } from "../cluster/servedModels";
import { othersOf, ownedNamespaces } from "../cluster/whose";
import type { Owner } from "../engine/owner";
import { UserError } from "../errors";
import type { Step } from "../progress";

const patienceMilliseconds = 180_000;
const pauseMilliseconds = 1_000;

/**
 * Removes what outlives a stack of staging or prod on purpose: the namespaces of its data, and the definition of
 * SeldonDeployments, unless others have some.
 *
 * @returns what was removed, in words.
 * @throws UserError a namespace does not go.
 */
export async function removeRetained(
  cluster: Cluster,
  owner: Owner,
  step: Step,
  signal: AbortSignal,
): Promise<string[]> {
  const all = await ownedNamespaces(cluster);
  const others = othersOf(all, owner).map(({ name }) => name);
  const namespaces = all.map(({ name }) => name).filter((name) => !others.includes(name));
  for (const name of namespaces) await cluster.remove(address(name));
  const removed = namespaces.map((name) => `namespace ${name}`);
  if (await isUnused(cluster)) {
    await cluster.remove(definitionAddress);
    removed.push("definition of SeldonDeployments");
  }
  const deadline = Date.now() + patienceMilliseconds;
  for (const name of namespaces) {
    while ((await cluster.get<V1Namespace>(address(name))) !== undefined) {
      step.detail(`waiting until namespace ${name} is gone`);
      if (Date.now() > deadline)
        throw new UserError(
          `namespace ${name} does not go. See what holds it: kubectl get namespace ${name} -o yaml; then run this again.`,
        );
      await sleep(pauseMilliseconds, undefined, { signal }).catch(() => undefined);
      signal.throwIfAborted();
    }
  }
  return removed;
}

/** Whether the platform's operator has left its definition, and nobody has a SeldonDeployment. */
async function isUnused(cluster: Cluster): Promise<boolean> {
  const found = await cluster.get<V1CustomResourceDefinition>(definitionAddress);
  const release = found?.metadata?.annotations?.["meta.helm.sh/release-name"];
  return release === "seldon-core-operator" && (await seldonDeployments(cluster)).length === 0;
}

function address(namespace: string): string {
  return `/api/v1/namespaces/${namespace}`;
}
