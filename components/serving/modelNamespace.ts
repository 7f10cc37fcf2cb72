import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { createSecret, ownership } from "../kubernetes";
import type { ObjectStore, S3Credentials } from "../objectStore/objectStore";
import { standardLabel } from "./seldon/seldonDeployment";
import { type ServerFiles, createServerFiles } from "./serverFiles";
import { metricsPath } from "./splitter/envoyConfig";
import { splitterLabels } from "./splitter/splits";

export interface ModelNamespaceArgs {
  /** The namespace; it exists. */
  namespace: pulumi.Input<string>;
  /** Where models and data sets lie. */
  objectStore: ObjectStore;
  /**
   * Whether tables are scored in it.
   * @default false
   */
  scoring?: boolean;
  /**
   * Whether one of Seldon's standard servers, MLServer, runs in it.
   * @default false
   */
  standardServer?: boolean;
  /** What all pods of the namespace together may ask for. */
  quota: { readonly cpu: string; readonly memory: string; readonly pods: number };
  /**
   * Labels of the PodMonitors for all models.
   * @default no monitor
   */
  monitorLabels?: Readonly<Record<string, string>> | undefined;
}

/**
 * What a namespace needs for models to be trained and served in it: the keys of the store, as rclone and as AWS
 * clients take them, each with no more rights than its purpose needs, and bounds for what runs there.
 */
export class ModelNamespace extends pulumi.ComponentResource {
  public readonly namespace: pulumi.Output<string>;
  /** Secret by which Seldon's init container fetches a model's files. */
  public readonly storageSecret = "seldon-init-container-secret";
  /** Secret with `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` of the user who may read data sets. */
  public readonly trainingSecret: pulumi.Output<string>;
  /** Secret with the same of the user who may read data sets and write predictions; none where no tables are scored. */
  public readonly batchSecret: pulumi.Output<string> | undefined;

  /** What stands beside MLServer; nothing where none runs. */
  public readonly serverFiles: ServerFiles | undefined;

  constructor(name: string, args: ModelNamespaceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:serving:ModelNamespace", name, {}, opts);
    this.namespace = pulumi.output(args.namespace);
    this.createStorageSecret(name, args);
    const { training, batch } = args.objectStore.users;
    this.trainingSecret = this.createKeys(`${name}-training`, "training-s3", training);
    if (args.scoring === true && batch !== undefined)
      this.batchSecret = this.createKeys(`${name}-batch`, "batch-s3", batch);
    if (args.standardServer === true)
      this.serverFiles = createServerFiles(`${name}-server`, this.namespace, { parent: this });
    this.createBounds(name, args);
    if (args.monitorLabels !== undefined) this.createMonitors(name, args.monitorLabels);
    this.registerOutputs({ namespace: this.namespace, storageSecret: this.storageSecret });
  }

  /** rclone's remote `s3`, in variables: https://rclone.org/docs/#config-file. Their values are case-sensitive. */
  private createStorageSecret(name: string, { objectStore }: ModelNamespaceArgs): void {
    const { endpoint, provider, region, users } = objectStore;
    createSecret(
      `${name}-storage`,
      this.storageSecret,
      this.namespace,
      {
        RCLONE_CONFIG_S3_TYPE: "s3",
        RCLONE_CONFIG_S3_PROVIDER: provider,
        RCLONE_CONFIG_S3_ENV_AUTH: "false",
        RCLONE_CONFIG_S3_ACCESS_KEY_ID: users.serving.accessKeyId,
        RCLONE_CONFIG_S3_SECRET_ACCESS_KEY: users.serving.secretAccessKey,
        RCLONE_CONFIG_S3_ENDPOINT: endpoint,
        RCLONE_CONFIG_S3_REGION: region,
        // A new pod's first connection may be refused, until its network policies are there. What lasts longer is for
        // the kubelet, which starts the container again with growing pauses.
        RCLONE_RETRIES: "5",
        RCLONE_RETRIES_SLEEP: "2s",
        RCLONE_CONTIMEOUT: "10s",
      },
      { parent: this },
    );
  }

  /** A Secret with a user's keys, as AWS clients take them. */
  private createKeys(name: string, secretName: string, keys: S3Credentials): pulumi.Output<string> {
    const { accessKeyId, secretAccessKey } = keys;
    const data = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    return createSecret(name, secretName, this.namespace, data, { parent: this });
  }

  /** A quota refuses containers that ask for nothing, so there is something that they ask for by default. */
  private createBounds(name: string, { quota }: ModelNamespaceArgs): void {
    const metadata = { name: "models", namespace: this.namespace, labels: ownership };
    new k8s.core.v1.LimitRange(
      `${name}-limits`,
      {
        metadata,
        spec: {
          limits: [
            {
              type: "Container",
              defaultRequest: { cpu: "50m", memory: "64Mi" },
              default: { memory: "512Mi" },
            },
          ],
        },
      },
      { parent: this },
    );
    new k8s.core.v1.ResourceQuota(
      `${name}-quota`,
      {
        metadata,
        spec: {
          hard: {
            "requests.cpu": quota.cpu,
            "requests.memory": quota.memory,
            pods: String(quota.pods),
            // Models are reached through the gateway or inside the cluster.
            "services.nodeports": "0",
            "services.loadbalancers": "0",
          },
        },
      },
      { parent: this },
    );
  }

  private createMonitors(name: string, labels: Readonly<Record<string, string>>): void {
    const create = (resource: string, called: string, matchLabels: object, endpoint: object) =>
      new k8s.apiextensions.CustomResource(
        `${name}-${resource}`,
        {
          apiVersion: "monitoring.coreos.com/v1",
          kind: "PodMonitor",
          metadata: { name: called, namespace: this.namespace, labels: { ...ownership, ...labels } },
          spec: { selector: { matchLabels }, podMetricsEndpoints: [endpoint] },
        },
        { parent: this },
      );
    const path = "/prometheus";
    create("monitor", "models", { "app.kubernetes.io/managed-by": "seldon-core" }, { port: "metrics", path });
    create("splitter-monitor", "splitters", splitterLabels, { port: "health", path: metricsPath });
    // Prometheus finds pods by ports that they declare, and the operator declares none for MLServer's metrics: so it is
    // found by another, and asked on this one: 6001 for the container at 9001 of a graph. An executor in the same pod has
    // both, and so has a unit of the project, whose own figures come by the first monitor.
    create("server-monitor", "standard-servers", standardLabel, {
      port: "http",
      path,
      relabelings: [
        {
          action: "drop",
          sourceLabels: ["__meta_kubernetes_pod_container_name"],
          regex: "seldon-container-engine",
        },
        {
          sourceLabels: ["__address__"],
          regex: "(.+):90(\\d\\d)",
          targetLabel: "__address__",
          replacement: "$1:60$2",
        },
      ],
      metricRelabelings: [{ action: "drop", sourceLabels: ["__name__"], regex: "modelserver_.+" }],
    });
  }
}
