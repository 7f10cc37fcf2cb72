import type { V1Service } from "@kubernetes/client-node";

import { namespaceNames } from "../../components/capabilities";
import type { Cluster } from "../cluster/cluster";
import {
  type ServicePort,
  databaseService,
  serviceAt,
  storeService,
  trackingService,
} from "../cluster/services";
import { protocolClients } from "../protocols/protocols";
import { backend } from "../serving/backend";
import { postgres, s3 } from "./stores";

/** Something in the cluster that can be opened from here. */
export interface Openable {
  /** As the user names it. */
  readonly name: string;
  readonly title: string;
  readonly service: ServicePort;
  /** The port of this machine that it gets if that is free; models share one, and count up. */
  readonly preferredPort: number;
  /** What stands behind the address, for people. */
  readonly path?: string;
  /** How to log in. */
  readonly login?: string;
  /** What a program of this machine is to be told beside the address. */
  readonly client?: (url: string) => string;
  /** Of the address. @default http */
  readonly scheme?: string;
  /** Lines for a shell that reach it at a port of this machine. Those that have them are opened only by name. */
  readonly lines?: (port: number) => readonly string[];
}

/** As on the local target, and those that the servers have themselves. */
const preferredPorts = { mlflow: 5050, minio: 9090, frontend: 8501, models: 9000 } as const;
/** The port of MinIO's Service that leads to its console; not every chart and version has one. */
const consolePort = "console";

/** All that can be opened now, in the order in which it is shown. @throws Refused */
export async function openables(cluster: Cluster): Promise<Openable[]> {
  const [tracking, store, database, frontends, models] = await Promise.all([
    serviceAt(cluster, trackingService),
    serviceAt(cluster, storeService),
    serviceAt(cluster, databaseService),
    cluster.list<V1Service>(`/api/v1/namespaces/${namespaceNames.frontend}/services`),
    backend.models(cluster),
  ]);
  const found: Openable[] = [];
  if (tracking !== undefined)
    found.push({
      name: "mlflow",
      title: "MLflow",
      service: trackingService,
      preferredPort: preferredPorts.mlflow,
      client: trackingClient,
    });
  const minio = store?.spec?.ports?.find(({ name }) => name === consolePort)?.port;
  if (minio !== undefined)
    found.push({
      name: "minio",
      title: "MinIO console",
      service: { ...storeService, port: minio },
      preferredPort: preferredPorts.minio,
      login: minioLogin(cluster.context),
    });
  for (const { metadata, spec } of frontends) {
    const [first] = spec?.ports ?? [];
    if (first === undefined || metadata?.name === undefined) continue;
    found.push({
      name: frontends.length === 1 ? "frontend" : metadata.name,
      title: "front end",
      service: { namespace: namespaceNames.frontend, service: metadata.name, port: first.port },
      preferredPort: preferredPorts.frontend,
    });
  }
  for (const { name, protocol, predictors } of models)
    for (const predictor of predictors)
      found.push({
        name: predictors.length === 1 ? name : `${name}-${predictor.name}`,
        title: predictors.length === 1 ? "model" : `model, predictor ${predictor.name}`,
        service: predictor.address,
        preferredPort: preferredPorts.models,
        path: protocolClients[protocol].page,
      });
  if (database !== undefined) found.push(postgres(cluster.context));
  if (store !== undefined) found.push(s3(cluster.context));
  return found;
}

/**
 * How MLflow's own client reaches it from here. It would read and write large files at the store itself, whose address is of
 * the cluster, and try that for minutes: MLflow 3.15 offers it wherever its artifacts lie in S3, and has no setting against it.
 */
function trackingClient(url: string): string {
  const throughServer = ["DOWNLOAD", "UPLOAD"].map((one) => `MLFLOW_ENABLE_PROXY_MULTIPART_${one}=false`);
  return `for Python: export MLFLOW_TRACKING_URI=${url} ${throughServer.join(" ")}`;
}

/** The keys of the store's root user, which the platform keeps in a Secret of this name. */
function minioLogin(context: string): string {
  const secret = `kubectl --context ${context} -n ${namespaceNames.objectStore} get secret minio-root`;
  return `user root; password: ${secret} -o go-template='{{.data.password | base64decode}}'`;
}
