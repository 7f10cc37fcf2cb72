import { postgresAccess } from "../../components/database/database";
import { namespaceNames } from "../../components/namespaces/traffic";
import type { Transport } from "../mlflow";
import type { Cluster } from "./cluster";

/** A port of a Service in a cluster. */
export interface ServicePort {
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
}

/** MLflow's server. */
export const trackingService: ServicePort = {
  namespace: namespaceNames.tracking,
  service: "mlflow",
  port: 5000,
};

/** The S3 API of the MinIO in the cluster. */
export const storeService: ServicePort = {
  namespace: namespaceNames.objectStore,
  service: "minio",
  port: 9000,
};

/** The Postgres in the cluster. */
export const databaseService: ServicePort = {
  namespace: namespaceNames.database,
  service: postgresAccess.service,
  port: postgresAccess.port,
};

/** Where the API server hands requests on to a Service. */
export function proxyAddress({ namespace, service, port }: ServicePort, path = ""): string {
  return `/api/v1/namespaces/${namespace}/services/http:${service}:${port}/proxy${path}`;
}

/** Has a client of a Service ask through the API server; its URLs are then {@link proxyAddress}es. */
export function throughProxy(cluster: Cluster): Transport {
  return async (address, timeout) => {
    const { status, body } = await cluster.send(address, { timeout });
    return new Response(body, { status });
  };
}
