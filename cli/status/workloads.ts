import type { V1Deployment, V1StatefulSet } from "@kubernetes/client-node";

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

function deploymentsOf(cluster: Cluster, namespace: string): Promise<Live<V1Deployment>[]> {
  return cluster.list<V1Deployment>(`/apis/apps/v1/namespaces/${namespace}/deployments`);
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
