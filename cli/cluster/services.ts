import { Readable } from "node:stream";

import { namespacesByRole, type NamespaceRole } from "../../components/capabilities";
import type { Transport } from "../mlflow";
import type { Cluster } from "./cluster";

/** A port of a Service in a cluster. */
export interface ServicePort {
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
}

/** MLflow's server. */
export const trackingService = serviceOf("tracking");

/** The S3 API of the MinIO in the cluster. */
export const storeService = serviceOf("objectStore");

/** The Postgres in the cluster. */
export const databaseService = serviceOf("database");

function serviceOf(role: NamespaceRole): ServicePort {
  const { name: namespace, service } = namespacesByRole[role];
  if (service === undefined) throw new Error(`namespace ${namespace} has no Service of its own`);
  return { namespace, service: service.name, port: service.port };
}

/** Where the API server hands requests on to a Service. */
export function proxyAddress({ namespace, service, port }: ServicePort, path = ""): string {
  return `/api/v1/namespaces/${namespace}/services/http:${service}:${port}/proxy${path}`;
}

/** Has a client of a Service ask through the API server; its URLs are then {@link proxyAddress}es. */
export function throughProxy(cluster: Cluster): Transport {
  return async (address, timeout, { streamed = false, sent } = {}) => {
    if (streamed) {
      const { status, body } = await cluster.stream(address, { timeout });
      // Node's own two descriptions of such a stream differ.
      return new Response(Readable.toWeb(body) as unknown as BodyInit, { status });
    }
    const { status, body } = await cluster.send(address, { timeout, ...sent });
    return new Response(body, { status });
  };
}
