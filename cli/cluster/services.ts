import { Readable } from "node:stream";

import type { V1Service } from "@kubernetes/client-node";

import { namespacesByRole, type NamespaceRole } from "../../components/capabilities";
import type { Transport } from "../mlflow";
import type { Cluster, Live } from "./cluster";

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

/** The page on which people ask the models. */
export const frontendService = serviceOf("frontend");

function serviceOf(role: NamespaceRole): ServicePort {
  const { name: namespace, service } = namespacesByRole[role];
  if (service === undefined) throw new Error(`namespace ${namespace} has no Service of its own`);
  return { namespace, service: service.name, port: service.port };
}

/** A Service as it is in a cluster; undefined if there is none. @throws Refused */
export function serviceAt(
  cluster: Cluster,
  { namespace, service }: ServicePort,
): Promise<Live<V1Service> | undefined> {
  return cluster.get<V1Service>(`/api/v1/namespaces/${namespace}/services/${service}`);
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
