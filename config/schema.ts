import * as z from "zod";

import { seldonVersions, type SeldonVersion } from "../pins";
import {
  bucketName,
  cpu,
  dnsLabel,
  environments,
  type Environment,
  hostName,
  httpUrl,
  imageRef,
  memory,
  registry,
  resources,
  secret,
  storageSize,
  values,
} from "./fields";
import { appImages, modelSchema } from "./models";

const seldonVersion = z.enum(Object.keys(seldonVersions) as SeldonVersion[]);

const storage = (size: string) =>
  z
    .strictObject({
      size: storageSize.default(size).describe("size of the volume"),
      storageClass: dnsLabel(63).optional().describe("storage class; the cluster's default if left out"),
    })
    .prefault({});

/** Keys of one S3 user. */
const s3User = z.strictObject({
  accessKeyId: z.string().min(3, { error: "is too short for an access key" }).describe("name of the key"),
  secretAccessKey: secret.describe("the key itself"),
});

/**
 * The stack configuration of an environment: what may stand in `Pulumi.<stack>.yaml` below `mlplatform:`.
 *
 * The descriptions are the reference in `docs/configuration.md`, and the defaults are the environment's.
 */
export function configSchema(environment: Environment) {
  const by = <T>(choice: Record<Environment, T>): T => choice[environment];

  return z.strictObject({
    environment: z
      .enum(environments)
      .describe("whose defaults hold; needed where the stack is not called dev, staging or prod"),
    context: z
      .string()
      .min(1, { error: "is empty" })
      .describe("context of the kubeconfig, as `kubectl config get-contexts` lists them"),
    podSecurityVersion: z
      .string()
      .regex(/^(latest|v1\.\d{1,2})$/, {
        error: ({ input }) => `"${String(input)}" is neither "latest" nor a version such as "v1.34"`,
      })
      .default("v1.34")
      .describe("Kubernetes version whose Pod Security Standards hold"),

    mirror: z
      .union([
        registry,
        z.strictObject({
          images: registry.optional().describe("registry that has all images, with their paths"),
          charts: z
            .string()
            .regex(/^(oci:\/\/|https?:\/\/|\.{0,2}\/)\S+$/, {
              error: ({ input }) =>
                `"${String(input)}" is neither oci://…, https://… nor a folder (./charts, /srv/charts)`,
            })
            .optional()
            .describe("`oci://…`, `https://…`, or a folder of charts, packed or not"),
        }),
      ])
      .optional()
      .describe(
        "where all charts and images come from instead. One registry, such as `registry.example.com/mirror`, " +
          "stands for its images and for `oci://registry.example.com/mirror/charts`",
      ),

    database: z
      .discriminatedUnion("kind", [
        z.strictObject({
          kind: z.literal("postgres").default("postgres").describe("Postgres in the cluster"),
          storage: storage(by({ dev: "2Gi", staging: "10Gi", prod: "50Gi" })),
          resources: resources(
            by({
              dev: { cpu: "100m", memory: "256Mi", memoryLimit: "512Mi" },
              staging: { cpu: "250m", memory: "512Mi", memoryLimit: "1Gi" },
              prod: { cpu: "1", memory: "2Gi", memoryLimit: "4Gi" },
            }),
          ),
          values,
        }),
        z.strictObject({
          kind: z.literal("external").describe("a Postgres that is there already"),
          host: hostName.describe("its address"),
          port: z.int().min(1).max(65_535).default(5432).describe("its port"),
          name: z.string().min(1, { error: "is empty" }).default("mlflowdb").describe("database"),
          username: z.string().min(1, { error: "is empty" }).describe("user, who owns the schema `mlflow`"),
          password: secret.describe("the user's password"),
        }),
      ])
      .prefault({})
      .describe("the database of the tracking server"),

    objectStore: z
      .discriminatedUnion("kind", [
        z.strictObject({
          kind: z.literal("minio").default("minio").describe("MinIO in the cluster, on one volume"),
          storage: storage(by({ dev: "5Gi", staging: "50Gi", prod: "200Gi" })),
          resources: resources(
            by({
              dev: { cpu: "100m", memory: "256Mi", memoryLimit: "1Gi" },
              staging: { cpu: "250m", memory: "512Mi", memoryLimit: "2Gi" },
              prod: { cpu: "500m", memory: "1Gi", memoryLimit: "4Gi" },
            }),
          ),
          values,
        }),
        z.strictObject({
          kind: z.literal("external").describe("any S3 store"),
          provider: z
            .enum(["AWS", "Ceph", "Cloudflare", "GCS", "Minio", "Other", "SeaweedFS"])
            .default("Other")
            .describe("as rclone calls it: https://rclone.org/s3/"),
          endpoint: httpUrl.optional().describe("its address; left out for AWS"),
          region: z.string().min(1, { error: "is empty" }).default("us-east-1").describe("its region"),
          modelBucket: bucketName.default("models").describe("bucket of the models"),
          dataBucket: bucketName.default("datasets").describe("bucket of the data sets"),
          users: z
            .strictObject({
              tracking: s3User.describe("may read and write the bucket of the models"),
              serving: s3User.describe("may read the bucket of the models"),
              training: s3User.describe("may read the bucket of the data sets"),
            })
            .describe("three users, each with no more rights than its purpose needs"),
        }),
      ])
      .prefault({})
      .describe("the store of models and data sets"),

    tracking: z
      .strictObject({
        replicas: z
          .int()
          .min(1)
          .max(20)
          .default(by({ dev: 1, staging: 1, prod: 2 }))
          .describe("pods"),
        workers: z
          .int()
          .min(1)
          .max(16)
          .default(by({ dev: 1, staging: 2, prod: 2 }))
          .describe("processes in each pod"),
        resources: resources(
          by({
            dev: { cpu: "250m", memory: "640Mi", memoryLimit: "1536Mi" },
            staging: { cpu: "250m", memory: "768Mi", memoryLimit: "1536Mi" },
            prod: { cpu: "500m", memory: "1Gi", memoryLimit: "2Gi" },
          }),
        ),
        ingress: z
          .strictObject({
            host: hostName.describe("public name"),
            className: dnsLabel(63).describe("ingress class"),
            namespace: dnsLabel(63).describe("namespace of the ingress controller, which is let in"),
            tlsSecret: dnsLabel(253).describe("Secret in namespace `mlflow` with the certificate"),
            annotations: z
              .record(z.string(), z.string())
              .default({})
              .describe("annotations; MLflow has no log-in of its own here, so name the controller's"),
          })
          .optional()
          .describe("a way in from outside the cluster; none if left out"),
        values,
      })
      .prefault({})
      .describe("MLflow: runs, registry, artifacts"),

    serving: z
      .strictObject({
        version: seldonVersion
          .default("1.17.1")
          .describe("version of Seldon Core; from 1.18 on it is under the Business Source License 1.1"),
        licenceAcknowledged: z
          .boolean()
          .default(false)
          .describe("true says that you have read the licence of a version from 1.18 on, and may use it"),
        certificate: z
          .enum(["chart", "cert-manager"])
          .default("chart")
          .describe(
            "of the webhook: `cert-manager` renews it and has to be in the cluster; " +
              "`chart` makes one that is valid for 365 days",
          ),
        certificateSerial: z
          .int()
          .min(1)
          .default(1)
          .describe("raise it to have the chart make a new certificate; it is made anew at upgrades too"),
        istio: z
          .strictObject({
            gateway: z
              .string()
              .regex(/^[a-z0-9-]+\/[a-z0-9-]+$/, {
                error: ({ input }) => `"${String(input)}" is not namespace/name of a gateway`,
              })
              .default("istio-system/seldon-gateway")
              .describe("namespace/name of the gateway"),
          })
          .optional()
          .describe("split traffic with Istio, which has to be in the cluster"),
        values,
      })
      .prefault({})
      .describe("Seldon Core, which serves the models"),

    monitoring: z
      .strictObject({
        enabled: z
          .boolean()
          .default(false)
          .describe("make ServiceMonitors and PodMonitors; the Prometheus operator has to be in the cluster"),
        namespace: dnsLabel(63).default("monitoring").describe("namespace of Prometheus, which is let in"),
        labels: z
          .record(z.string(), z.string())
          .default({ release: "kube-prometheus-stack" })
          .describe("labels by which Prometheus finds the monitors"),
      })
      .prefault({})
      .describe("metrics"),

    images: z
      .strictObject({
        registry: registry
          .optional()
          .describe("where built images are pushed; without it they stay in the local Docker daemon"),
        platform: z
          .enum(["linux/amd64", "linux/arm64"])
          .optional()
          .describe("platform to build for; the daemon's own if left out"),
        network: z.enum(["default", "host"]).default("default").describe("network while building"),
        buildArgs: z
          .record(z.string(), z.string())
          .default({})
          .describe("further build arguments, such as `PIP_INDEX_URL`; no secrets"),
        prebuilt: z
          .partialRecord(z.enum(appImages), imageRef)
          .default({})
          .describe("images that are built elsewhere, by name; these are not built"),
      })
      .prefault({})
      .describe("the project's own images"),

    modelQuota: z
      .strictObject({
        cpu: cpu.default(by({ dev: "3", staging: "8", prod: "32" })).describe("sum of CPU requests"),
        memory: memory
          .default(by({ dev: "4Gi", staging: "16Gi", prod: "64Gi" }))
          .describe("sum of memory requests"),
        pods: z
          .int()
          .min(1)
          .default(by({ dev: 20, staging: 50, prod: 200 }))
          .describe("number of pods"),
      })
      .prefault({})
      .describe("what all models and trainings together may ask for"),

    models: z
      .array(modelSchema(environment))
      .default([])
      .describe("the models in service, and how they are trained"),
  });
}

/** The stack configuration, complete. */
export type StackConfig = z.output<ReturnType<typeof configSchema>>;
