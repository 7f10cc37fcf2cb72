import * as z from "zod";

import { httpUrl } from "./addresses";
import {
  bucketName,
  type ByEnvironment,
  filled,
  hostName,
  objectName,
  resources,
  secret,
  storageSize,
  values,
} from "./fields";

const storage = (size: string) =>
  z
    .strictObject({
      size: storageSize.default(size).describe("size of the volume"),
      storageClass: objectName.optional().describe("storage class; the cluster's default if left out"),
    })
    .prefault({});

/** Keys of one S3 user. */
const s3User = z.strictObject({
  accessKeyId: filled.describe("the access key"),
  secretAccessKey: secret.describe("the secret key"),
});

/** Where the tracking server keeps runs. */
export const database = (by: ByEnvironment) =>
  z
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
        host: hostName.describe("address of the server, without scheme and port"),
        port: z.int().min(1).max(65_535).default(5432).describe("port of the server"),
        name: filled.default("mlflowdb").describe("name of the database"),
        username: filled.describe("the user, who owns the schema `mlflow`"),
        password: secret.describe("the user's password"),
      }),
    ])
    .prefault({})
    .describe("the database of the tracking server");

/** Where models and data sets lie. */
export const objectStore = (by: ByEnvironment) =>
  z
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
          .describe("kind of store, as [rclone](https://rclone.org/s3/) calls it"),
        endpoint: httpUrl.optional().describe("address of the store; left out for AWS"),
        region: filled.default("us-east-1").describe("region of the store"),
        modelBucket: bucketName.default("models").describe("bucket of the models"),
        dataBucket: bucketName.default("datasets").describe("bucket of the data sets"),
        users: z
          .strictObject({
            tracking: s3User.describe("the user who may read and write the bucket of the models"),
            serving: s3User.describe("the user who may read the bucket of the models"),
            training: s3User.describe("the user who may read the bucket of the data sets"),
          })
          .describe("three users, each with no more rights than its purpose needs"),
      }),
    ])
    .prefault({})
    .describe("the store of models and data sets");
