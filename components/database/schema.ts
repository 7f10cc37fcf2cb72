import * as z from "zod";

import {
  type ByEnvironment,
  filled,
  hostName,
  resources,
  secret,
  storage,
  values,
} from "../../config/fields";

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
