import type { V1Deployment } from "@kubernetes/client-node";

import type { Cluster } from "../cluster/cluster";
import { proxyAddress, throughProxy, trackingService } from "../cluster/services";
import { UserError } from "../errors";
import { MlflowClient } from "../mlflow";
import type { Registry } from "./decide";
import { packageFinder } from "./environment";

/** Where `mlflow-artifacts:/` lies, by the options that the server runs with; undefined if it keeps it elsewhere. */
export async function artifactStore(cluster: Cluster): Promise<string | undefined> {
  const { namespace, service } = trackingService;
  const found = await cluster.get<V1Deployment>(
    `/apis/apps/v1/namespaces/${namespace}/deployments/${service}`,
  );
  const options = found?.spec?.template.spec?.containers.flatMap(({ args }) => args ?? []) ?? [];
  const stores = options.flatMap((option) => /^--artifacts-destination=(.+?)\/*$/.exec(option)?.[1] ?? []);
  return stores[0];
}

/** The registry of the platform in a cluster; undefined where there is none yet. */
export async function registryOf(cluster: Cluster): Promise<Registry | undefined> {
  const store = await artifactStore(cluster);
  const mlflow = new MlflowClient(proxyAddress(trackingService), throughProxy(cluster));
  return store === undefined ? undefined : { mlflow, store, ...packageFinder() };
}

/** The same. @throws UserError there is none. */
export async function needRegistry(cluster: Cluster): Promise<Registry> {
  const registry = await registryOf(cluster);
  if (registry === undefined)
    throw new UserError(
      `there is no registry in the cluster of context ${cluster.context}. Start: npm run up`,
    );
  return registry;
}
