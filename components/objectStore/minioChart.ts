import { createHash } from "node:crypto";

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import type { Resources } from "../../config/fields";
import { charts, imageReference, images } from "../../pins";
import { runOnce } from "../job";
import { createSecret, fromSecret, onceReady, ownership, requirements, serviceHost } from "../kubernetes";
import { createPassword } from "../passwords";
import { type ChartArgs, chartImage, chartStorage, installChart, type Storage } from "../release";
import { accessKeys, buckets, minioAccess, secretKeyVariable, setupScript } from "./minioSetup";
import type { ObjectStore, S3Credentials, S3Users } from "./objectStore";

export interface MinioChartArgs extends ChartArgs {
  /** The volume. */
  storage: Storage;
  resources: Resources;
  /**
   * Labels of a ServiceMonitor.
   * @default no monitor
   */
  monitorLabels?: Readonly<Record<string, string>> | undefined;
  /**
   * Whether the data must survive: release and keys are protected, and the volume outlives the release.
   * @default false
   */
  protect?: boolean;
}

const { service, port, region } = minioAccess;
/** The user of the chart's image. */
const user = 1001;

/**
 * MinIO in the cluster, one pod on one volume: https://github.com/CloudPirates-io/helm-charts
 *
 * Buckets and users are made by a Job of our own. The chart's knows no users, and its pod has the labels of the
 * server's, so that the Service would send it a share of the requests.
 */
export class MinioChart extends pulumi.ComponentResource implements ObjectStore {
  public readonly endpoint: pulumi.Output<string>;
  public readonly region: pulumi.Output<string>;
  public readonly provider: pulumi.Output<string>;
  public readonly modelBucket = buckets.models;
  public readonly dataBucket = buckets.datasets;
  public readonly predictionBucket = buckets.predictions;
  public readonly users: S3Users;

  constructor(name: string, args: MinioChartArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:objectStore:MinioChart", name, {}, opts);
    const own = { parent: this, protect: args.protect ?? false };

    const root = createSecret(
      `${name}-root`,
      "minio-root",
      args.namespace,
      { user: "root", password: createPassword(`${name}-root-password`, own) },
      { parent: this },
    );
    const release = installChart(
      `${name}-release`,
      service,
      charts.minio,
      args,
      chartValues(args, root),
      own,
    );
    const keys = mapUsers((who) => createPassword(`${name}-${who}-key`, own));
    const setup = this.setUp(name, args, release, root, keys);
    if (args.monitorLabels !== undefined) this.createMonitor(name, args, args.monitorLabels, release);

    this.endpoint = onceReady(
      setup,
      pulumi.interpolate`http://${serviceHost(service, args.namespace)}:${port}`,
    );
    this.region = pulumi.output(region);
    this.provider = pulumi.output("Minio");
    this.users = mapUsers((who): S3Credentials => ({
      accessKeyId: pulumi.output(accessKeys[who]),
      secretAccessKey: keys[who],
    }));
    const { endpoint, modelBucket, dataBucket } = this;
    this.registerOutputs({ endpoint, modelBucket, dataBucket });
  }

  /** Makes buckets and users. Nothing else uses the root key. */
  private setUp(
    name: string,
    args: MinioChartArgs,
    release: pulumi.Resource,
    root: pulumi.Output<string>,
    keys: Record<keyof S3Users, pulumi.Output<string>>,
  ): pulumi.Resource {
    const entries = Object.entries(keys).map(([who, key]) => [secretKeyVariable(who), key] as const);
    const users = createSecret(`${name}-users`, "minio-users", args.namespace, Object.fromEntries(entries), {
      parent: this,
    });
    const host = onceReady(release, pulumi.interpolate`${serviceHost(service, args.namespace)}:${port}`);
    return runOnce(
      `${name}-setup`,
      {
        namespace: args.namespace,
        jobName: "minio-setup",
        image: imageReference(images.minio, args.mirror),
        command: ["/bin/sh", "-c", host.apply(setupScript)],
        env: [
          fromSecret("ROOT_USER", root, "user"),
          fromSecret("ROOT_PASSWORD", root, "password"),
          ...entries.map(([variable]) => fromSecret(variable, users, variable)),
          // Another key is another Job, which hands it on to the server.
          { name: "KEYS_DIGEST", value: digest(Object.values(keys)) },
        ],
        user,
        resources: { cpu: "50m", memory: "64Mi", memoryLimit: "256Mi" },
        role: "minio-setup",
      },
      { parent: this },
    );
  }

  private createMonitor(
    name: string,
    { namespace }: ChartArgs,
    labels: Readonly<Record<string, string>>,
    release: pulumi.Resource,
  ): void {
    new k8s.apiextensions.CustomResource(
      `${name}-monitor`,
      {
        apiVersion: "monitoring.coreos.com/v1",
        kind: "ServiceMonitor",
        metadata: { name: service, namespace, labels: { ...ownership, ...labels } },
        spec: {
          selector: { matchLabels: { "app.kubernetes.io/instance": onceReady(release, service) } },
          endpoints: [{ port: "minio", path: "/minio/v2/metrics/cluster" }],
        },
      },
      { parent: this },
    );
  }
}

/** Tells sets of keys apart, and tells nothing about them: they have 190 random bits each. */
function digest(keys: readonly pulumi.Output<string>[]): pulumi.Output<string> {
  const all = pulumi.output([...keys]);
  return pulumi.unsecret(
    all.apply((texts) => createHash("sha256").update(texts.join()).digest("hex").slice(0, 12)),
  );
}

function mapUsers<T>(make: (user: keyof S3Users) => T): Record<keyof S3Users, T> {
  return {
    tracking: make("tracking"),
    serving: make("serving"),
    training: make("training"),
    batch: make("batch"),
  };
}

function chartValues(args: MinioChartArgs, root: pulumi.Input<string>) {
  return {
    fullnameOverride: service,
    image: chartImage(images.minio, args.mirror),
    auth: { existingSecret: root, existingSecretUserKey: "user", existingSecretPasswordKey: "password" },
    config: {
      region,
      // Who may reach the port is the network policy's matter; the figures name buckets and nothing in them.
      extraEnvVars:
        args.monitorLabels === undefined ? [] : [{ name: "MINIO_PROMETHEUS_AUTH_TYPE", value: "public" }],
    },
    persistence: {
      ...chartStorage(args.storage),
      // The claim belongs to the release, and would take every model with it.
      annotations: args.protect === true ? { "helm.sh/resource-policy": "keep" } : {},
    },
    resources: requirements(args.resources),
    // What Pod Security "restricted" asks for beside the chart's own settings.
    podSecurityContext: {
      fsGroup: user,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
    readinessProbe: { initialDelaySeconds: 1, periodSeconds: 2 },
  };
}
