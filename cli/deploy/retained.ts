import { setTimeout as sleep } from "node:timers/promises";

import type { V1Namespace } from "@kubernetes/client-node";

import type { Cluster } from "../cluster/cluster";
import { namespaceAddress, ownOf, ownedNamespaces } from "../cluster/whose";
import type { Owner } from "../engine/owner";
import { UserError } from "../errors";
import type { Step } from "../progress";
import { backend } from "../serving/backend";

const patienceMilliseconds = 180_000;
const pauseMilliseconds = 1_000;

/**
 * Removes what outlives a stack of staging or prod on purpose: the namespaces of its data, and what the kind of
 * resource that a model is has left, unless others use it.
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
  const left = await backend.removeLeft(cluster);
  return left === undefined ? removed : [...removed, left];
}
