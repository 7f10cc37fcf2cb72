import { readFileSync } from "node:fs";
import * as path from "node:path";

import * as pulumi from "@pulumi/pulumi";

import type { Resources } from "../../config/fields";
import { charts, imageParts, imageReference, images } from "../../pins";
import type { Database } from "../database/database";
import { runOnce } from "../job";
import { createSecret, fromSecret, onceReady, requirements, serviceHost } from "../kubernetes";
import { type ObjectStore, storeVariables } from "../objectStore/objectStore";
import { type ChartArgs, installChart } from "../release";
import { trackingAccess } from "./footprint";

/** A way in from outside the cluster. */
export interface IngressArgs {
  readonly host: string;
  readonly className: string;
  /** Secret with the certificate, in the server's namespace. */
  readonly tlsSecret: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface TrackingServerArgs extends ChartArgs {
  /** Where runs and the registry are kept. */
  database: Database;
  /** Where artifacts are kept. Clients never see its keys: the server hands artifacts through. */
  objectStore: ObjectStore;
  replicas: number;
  /** Processes in each pod; the first takes 0.4 GB of memory, a further one 0.2. */
  workers: number;
  resources: Resources;
  /** @default none */
  ingress?: IngressArgs | undefined;
  /**
   * Labels of a ServiceMonitor.
   * @default no monitor
   */
  monitorLabels?: Readonly<Record<string, string>> | undefined;
}

const { service, port } = trackingAccess;
/** The folder of the bucket that holds all artifacts. */
const artifactFolder = "mlflow";
/** The user of the image. */
const user = 1001;

/**
 * MLflow: runs, model registry and artifacts.
 * https://github.com/community-charts/helm-charts/tree/main/charts/mlflow
 */
export class TrackingServer extends pulumi.ComponentResource {
  /** Its address inside the cluster, for `MLFLOW_TRACKING_URI`. */
  public readonly uri: pulumi.Output<string>;
  /** Where in the store `mlflow-artifacts:/` lies: `s3://models/mlflow`. */
  public readonly artifactLocation: string;

  constructor(name: string, args: TrackingServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:tracking:TrackingServer", name, {}, opts);
    const { database, objectStore, namespace } = args;

    const databaseSecret = createSecret(
      `${name}-database`,
      "mlflow-db",
      namespace,
      { username: database.username, password: database.password },
      { parent: this },
    );
    const { accessKeyId, secretAccessKey } = objectStore.users.tracking;
    const storeSecret = createSecret(
      `${name}-store`,
      "mlflow-s3",
      namespace,
      { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
      { parent: this },
    );
    const migrated = this.migrate(name, args, databaseSecret);
    const release = installChart(
      `${name}-release`,
      service,
      charts.mlflow,
      args,
      chartValues(args, onceReady(migrated, databaseSecret), storeSecret),
      { parent: this },
    );

    this.uri = onceReady(release, pulumi.interpolate`http://${serviceHost(service, namespace)}:${port}`);
    this.artifactLocation = `s3://${objectStore.modelBucket}/${artifactFolder}`;
    this.registerOutputs({ uri: this.uri, artifactLocation: this.artifactLocation });
  }

  /**
   * Makes or renews the tables before any server starts. The chart would do it in each pod at once, and Alembic,
   * which does the work, does not keep two of them apart.
   */
  private migrate(name: string, args: TrackingServerArgs, secret: pulumi.Output<string>): pulumi.Resource {
    const { host, port: databasePort, database } = args.database;
    return runOnce(
      `${name}-migration`,
      {
        namespace: args.namespace,
        jobName: "mlflow-migration",
        image: imageReference(images.mlflow, args.mirror),
        command: ["python", "-c", readFileSync(path.join(__dirname, "migration.py"), "utf8")],
        env: [
          { name: "PGHOST", value: host },
          { name: "PGPORT", value: pulumi.interpolate`${databasePort}` },
          { name: "PGDATABASE", value: database },
          fromSecret("PGUSER", secret, "username"),
          fromSecret("PGPASSWORD", secret, "password"),
          { name: "HOME", value: "/tmp" },
        ],
        user,
        resources: { cpu: "100m", memory: "256Mi", memoryLimit: "512Mi" },
        role: "mlflow-migration",
      },
      { parent: this },
    );
  }
}

function chartValues(
  args: TrackingServerArgs,
  databaseSecret: pulumi.Input<string>,
  storeSecret: pulumi.Input<string>,
) {
  const { database, objectStore, ingress, monitorLabels } = args;
  const { registry, path, tag } = imageParts(images.mlflow, args.mirror);
  const [imageTag = "", digest = ""] = tag.split("@");
  return {
    fullnameOverride: service,
    image: { repository: `${registry}/${path}`, tag: imageTag, digest },
    replicaCount: args.replicas,
    telemetry: { enabled: false },
    service: { port },
    backendStore: {
      databaseMigration: false,
      // Its waits grow to 144 seconds; the migration has shown that the database answers.
      databaseConnectionCheck: false,
      postgres: {
        enabled: true,
        host: database.host,
        port: database.port,
        database: database.database,
        driver: "psycopg2",
      },
      existingDatabaseSecret: { name: databaseSecret, usernameKey: "username", passwordKey: "password" },
    },
    artifactRoot: {
      proxiedArtifactStorage: true,
      s3: {
        enabled: true,
        bucket: objectStore.modelBucket,
        path: artifactFolder,
        existingSecret: {
          name: storeSecret,
          keyOfAccessKeyId: "AWS_ACCESS_KEY_ID",
          keyOfSecretAccessKey: "AWS_SECRET_ACCESS_KEY",
        },
      },
    },
    extraEnvVars: {
      ...storeVariables(objectStore),
      HOME: "/tmp",
      // Asynchronous jobs are for language models, and take 1.2 GB of memory when idle.
      MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false",
    },
    extraArgs: { workers: String(args.workers) },
    serverAllowedHosts: allowedHosts(args.namespace, ingress?.host),
    ...(ingress === undefined ? {} : { ingress: ingressValues(ingress) }),
    serviceMonitor: {
      enabled: monitorLabels !== undefined,
      useServicePort: true,
      namespace: args.namespace,
      labels: monitorLabels ?? {},
    },
    // Where the chart has the server keep its metrics, which is read-only otherwise.
    extraVolumes: [{ name: "metrics", emptyDir: {} }],
    extraVolumeMounts: [{ name: "metrics", mountPath: "/mlflow/metrics" }],
    serviceAccount: { automount: false },
    podSecurityContext: {
      fsGroup: user,
      fsGroupChangePolicy: "OnRootMismatch",
      // What Pod Security "restricted" asks for beside the chart's own settings.
      seccompProfile: { type: "RuntimeDefault" },
    },
    resources: requirements(args.resources),
    // The chart asks every 30 seconds, so that a server that is ready after 20 counts as ready after 40.
    readinessProbe: { initialDelaySeconds: 2, periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 3 },
    livenessProbe: { initialDelaySeconds: 60, periodSeconds: 30, timeoutSeconds: 5, failureThreshold: 5 },
  };
}

/**
 * The names by which MLflow lets itself be called; as soon as one is given, none of its own holds any more. Each with
 * and without a port, because the whole `Host` header is compared.
 */
function allowedHosts(
  namespace: pulumi.Input<string>,
  publicHost: string | undefined,
): pulumi.Output<string[]> {
  return pulumi.output(namespace).apply((name) => {
    const inCluster = [
      service,
      `${service}.${name}`,
      `${service}.${name}.svc`,
      `${service}.${name}.svc.cluster.local`,
    ];
    // Port-forwards, and Prometheus, which asks a pod by its address.
    const addresses = ["localhost", "127.0.0.1", "10.*", "172.*", "192.168.*"];
    const hosts = [...addresses, ...inCluster, ...(publicHost === undefined ? [] : [publicHost])];
    return hosts.flatMap((host) => (host.endsWith("*") ? [host] : [host, `${host}:*`]));
  });
}

function ingressValues({ host, className, tlsSecret, annotations }: IngressArgs) {
  return {
    enabled: true,
    className,
    annotations,
    hosts: [{ host, paths: [{ path: "/", pathType: "Prefix" }] }],
    tls: [{ hosts: [host], secretName: tlsSecret }],
  };
}
