import { setTimeout as sleep } from "node:timers/promises";

import type { V1Pod } from "@kubernetes/client-node";

import type { Cluster, Live } from "../../cli/cluster/cluster";

const patienceMilliseconds = 180_000;

/** Which pods: a namespace, and labels as `kubectl -l` takes them. */
export interface PodSelector {
  readonly namespace: string;
  readonly labels: string;
}

/** Pods that are there. */
export async function podsOf(cluster: Cluster, { namespace, labels }: PodSelector): Promise<Live<V1Pod>[]> {
  const query = new URLSearchParams({ labelSelector: labels }).toString();
  return cluster.list<V1Pod>(`${addressOf(namespace)}?${query}`);
}

/** Deletes one pod, and waits until all that are there are others, and ready. */
export async function replacePod(cluster: Cluster, selector: PodSelector): Promise<void> {
  const [victim] = await podsOf(cluster, selector);
  const { name = "", uid } = victim?.metadata ?? {};
  if (victim === undefined) throw new Error(`no pod ${selector.labels} in ${selector.namespace}`);
  await cluster.remove(`${addressOf(selector.namespace)}/${name}`);
  await until(`a pod in the place of ${name} is ready`, async () => {
    const pods = await podsOf(cluster, selector);
    return pods.length > 0 && pods.every((pod) => pod.metadata?.uid !== uid && isReady(pod));
  });
}

/**
 * Waits until something is so. An error means not yet.
 *
 * @param patience how long, in milliseconds. @default three minutes
 * @throws Error it does not become so; with the last error.
 */
export async function until(
  what: string,
  check: () => Promise<boolean>,
  patience = patienceMilliseconds,
): Promise<void> {
  const end = Date.now() + patience;
  for (;;) {
    let last = "";
    try {
      if (await check()) return;
    } catch (error) {
      last = `: ${String(error)}`;
    }
    if (Date.now() > end) throw new Error(`waited ${patience / 1000} s until ${what}${last}`);
    await sleep(500);
  }
}

function addressOf(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/pods`;
}

function isReady({ status }: Live<V1Pod>): boolean {
  return status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") === true;
}
