import type { V1Deployment, V1Job, V1StatefulSet } from "@kubernetes/client-node";

import { namespaceNames } from "../../components/capabilities";
import type { Cluster, Live } from "../cluster/cluster";
import { releaseOf } from "../cluster/releases";
import { type Workload, rolloutOf } from "../cluster/rollout";
import { proxyAddress, storeService, throughProxy, trackingService } from "../cluster/services";
import { messageOf } from "../errors";
import { MlflowClient } from "../mlflow";
import type { Item } from "./item";

const answerMilliseconds = 5_000;

/** The database in the cluster; none if it is elsewhere. @throws Refused */
export async function databaseItems(cluster: Cluster): Promise<readonly Item[]> {
  const sets = await cluster.list<V1StatefulSet>(
    `/apis/apps/v1/namespaces/${namespaceNames.database}/statefulsets`,
  );
  return sets.map((set) => workloadItem("database", set));
}

/** MinIO in the cluster: whether its pods are ready, and whether it takes requests. @throws Refused */
export async function storeItems(cluster: Cluster): Promise<readonly Item[]> {
  const deployments = await deploymentsOf(cluster, namespaceNames.objectStore);
  return Promise.all(
    deployments.map((deployment) =>
      asked(workloadItem("object store", deployment), async () => {
        const address = proxyAddress(storeService, "/minio/health/ready");
        return (await cluster.send(address, { timeout: answerMilliseconds })).status === 200;
      }),
    ),
  );
}

/** MLflow: whether its pods are ready, and whether it answers. @throws Refused */
export async function trackingItems(cluster: Cluster): Promise<readonly Item[]> {
  const deployments = await deploymentsOf(cluster, namespaceNames.tracking);
  const mlflow = new MlflowClient(proxyAddress(trackingService), throughProxy(cluster));
  return Promise.all(
    deployments.map((deployment) => asked(workloadItem("tracking", deployment), () => mlflow.healthy())),
  );
}

/** The operator that serves models: whether its pod is ready. @throws Refused */
export async function operatorItems(cluster: Cluster): Promise<readonly Item[]> {
  const deployments = await deploymentsOf(cluster, namespaceNames.servingOperator);
  return deployments.map((deployment) => workloadItem("operator", deployment));
}

/** The page on which people ask the models: whether its pod is ready. @throws Refused */
export async function frontendItems(cluster: Cluster): Promise<readonly Item[]> {
  // Nobody in the cluster may ask it, the API server's proxy neither; its pod is asked by the kubelet.
  const deployments = await deploymentsOf(cluster, namespaceNames.frontend);
  return deployments.map((deployment) => workloadItem("front end", deployment));
}

/** The Jobs of some namespaces that have not come to a good end. @throws Refused */
export async function jobItems(cluster: Cluster, namespaces: readonly string[]): Promise<readonly Item[]> {
  const jobs = await listIn<V1Job>(cluster, "/apis/batch/v1", namespaces, "jobs");
  return jobs.flatMap(({ metadata, status }): Item[] => {
    const conditions = status?.conditions ?? [];
    if (conditions.some(({ type, status: is }) => type === "Complete" && is === "True")) return [];
    const failed = conditions.find(({ type, status: is }) => type === "Failed" && is === "True");
    const own = { part: "job", name: `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}` } as const;
    if (failed === undefined)
      return [
        { ...own, health: "well", state: "running", detail: `since ${status?.startTime ?? "just now"}` },
      ];
    const mend = `npm run logs -- ${metadata?.name ?? ""}, then: npm run up`;
    return [{ ...own, health: "ill", state: "failed", detail: failed.message ?? failed.reason ?? "", mend }];
  });
}

function deploymentsOf(cluster: Cluster, namespace: string): Promise<Live<V1Deployment>[]> {
  return cluster.list<V1Deployment>(`/apis/apps/v1/namespaces/${namespace}/deployments`);
}

async function listIn<T>(
  cluster: Cluster,
  group: string,
  namespaces: readonly string[],
  kind: string,
): Promise<Live<T>[]> {
  return (
    await Promise.all(
      namespaces.map((namespace) => cluster.list<T>(`${group}/namespaces/${namespace}/${kind}`)),
    )
  ).flat();
}

function workloadItem(part: Item["part"], workload: Workload): Item {
  const { complete, off, ready, state, wanted } = rolloutOf(workload);
  return {
    part,
    name: workload.metadata?.name ?? "",
    health: complete ? "well" : "ill",
    state,
    detail: off ? "scaled to 0 pods" : "",
    ...(off ? { mend: "npm run up" } : {}),
    facts: { ready, wanted, release: releaseOf(workload) ?? null },
  };
}

/**
 * Adds what a service says itself. Where its pods are ready and it is silent, it may be the way to it: a network
 * policy can keep the API server out.
 */
async function asked(item: Item, ask: () => Promise<boolean>): Promise<Item> {
  try {
    if (await ask()) return { ...item, detail: "answers" };
    return { ...item, health: "ill", detail: "answers that it is not well" };
  } catch (error) {
    const health = item.health === "well" ? "warning" : "ill";
    return { ...item, health, detail: item.detail || `could not be asked: ${messageOf(error)}` };
  }
}
