import * as z from "zod";

import { httpUrl } from "../../config/addresses";
import {
  bucketName,
  type ByEnvironment,
  filled,
  resources,
  secret,
  storage,
  values,
} from "../../config/fields";
import type { Mistake } from "../../config/mistakes";
import type { StackConfig } from "../../config/schema";

/** Keys of one S3 user. */
const s3User = z.strictObject({
  accessKeyId: filled.describe("the access key"),
  secretAccessKey: secret.describe("the secret key"),
});

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
        predictionBucket: bucketName
          .default("predictions")
          .describe("bucket of the predictions, if there is `batch`"),
        users: z
          .strictObject({
            tracking: s3User.describe("the user who may read and write the bucket of the models"),
            serving: s3User.describe("the user who may read the bucket of the models"),
            training: s3User.describe("the user who may read the bucket of the data sets"),
            batch: s3User
              .optional()
              .describe(
                "the user who may read the bucket of the data sets and write that of the predictions; needed for `batch`",
              ),
          })
          .describe("users, each with no more rights than its purpose needs"),
      }),
    ])
    .prefault({})
    .describe("the store of models and data sets");

/** What of it does not fit together. */
export function checkObjectStore({ objectStore }: Partial<Pick<StackConfig, "objectStore">>): Mistake[] {
  if (objectStore?.kind !== "external") return [];
  const { endpoint, provider, modelBucket, dataBucket, predictionBucket } = objectStore;
  const problems: Mistake[] = [];
  if (endpoint === undefined && provider !== "AWS")
    problems.push({
      path: ["objectStore", "endpoint"],
      message:
        "is missing: its address, such as https://s3.example.com; only with provider: AWS it is left out",
    });
  if (modelBucket === dataBucket)
    problems.push({
      path: ["objectStore", "dataBucket"],
      message: `is "${dataBucket}", as modelBucket is: their users differ, so the buckets must`,
    });
  for (const [key, bucket] of [
    ["modelBucket", modelBucket],
    ["dataBucket", dataBucket],
  ] as const)
    if (predictionBucket === bucket)
      problems.push({
        path: ["objectStore", "predictionBucket"],
        message: `is "${bucket}", as ${key} is: their users differ, so the buckets must`,
      });
  return problems;
}
