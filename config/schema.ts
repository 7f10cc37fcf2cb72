import * as z from "zod";

import { batch } from "../components/batch/schema";
import { database } from "../components/database/schema";
import { frontend } from "../components/frontend/schema";
import { images } from "../components/images/schema";
import { monitoring } from "../components/monitoring/schema";
import { objectStore } from "../components/objectStore/schema";
import { modelQuota, serving } from "../components/serving/schema";
import { tracking } from "../components/tracking/schema";
import { chartsPlace } from "./addresses";
import {
  type ByEnvironment,
  type DeepReadonly,
  environments,
  type Environment,
  filled,
  like,
  registry,
} from "./fields";
import { mostModels } from "./limits";
import { modelSchema } from "./models";

// Compiled, a schema parses faster the second time; here there is none, and compiling takes three times the parsing.
z.config({ jitless: true });

/**
 * The stack configuration of an environment: what may stand in `Pulumi.<stack>.yaml` below `mlplatform:`.
 *
 * The descriptions are the reference in `docs/configuration.md`, and the defaults are the environment's.
 */
export function configSchema(environment: Environment): Schema {
  const schema = schemas.get(environment) ?? createSchema(environment);
  schemas.set(environment, schema);
  return schema;
}

/** Making a schema takes most of the time that reading the configuration takes; tests read it hundreds of times. */
const schemas = new Map<Environment, Schema>();

export type Schema = ReturnType<typeof createSchema>;

function createSchema(environment: Environment) {
  const by: ByEnvironment = (choice) => choice[environment];

  return z.strictObject({
    environment: z
      .enum(environments)
      .meta({
        missing: "dev, staging or prod; a stack that has one of these names needs none",
        fallback: "the stack's name, if it is one of these",
      })
      .describe("whose defaults hold"),
    context: filled
      .meta({
        missing:
          "pulumi config set mlplatform:context NAME, where `kubectl config get-contexts` lists the names",
      })
      .describe("context of the kubeconfig, as `kubectl config get-contexts` lists them"),
    podSecurityVersion: like(
      /^(latest|v1\.\d{1,2})$/,
      'a version of Kubernetes, such as "v1.34", or "latest"',
    )
      .default("v1.34")
      .describe("Kubernetes version whose Pod Security Standards hold"),

    mirror: z
      .union(
        [
          registry,
          z.strictObject({
            images: registry.optional().describe("registry that has all images, with their paths"),
            charts: chartsPlace
              .optional()
              .describe("`oci://…`, `https://…`, or a folder of charts (`./charts`, `/srv/charts`)"),
          }),
        ],
        { error: "must be a registry, or a group with images and charts" },
      )
      .optional()
      .describe(
        "where all charts and images come from instead. One registry, such as `registry.example.com/mirror`, " +
          "stands for its images and for `oci://registry.example.com/mirror/charts`",
      ),

    database: database(by),
    objectStore: objectStore(by),
    tracking: tracking(by),
    serving,
    monitoring,
    images,
    frontend: frontend(by),
    modelQuota: modelQuota(by),
    models: z
      .array(modelSchema(environment))
      .default([])
      .describe(`the models in service, and how they are trained; at most ${mostModels}`),
    batch: batch(by),

    owner: z
      .strictObject({
        id: filled.describe("tells it from all others"),
        state: filled.describe("where it lies, for people"),
      })
      .optional()
      .describe(
        "which state the objects in the cluster belong to; `npm run up` finds it out, and it stands on the namespaces",
      ),
  });
}

/** The stack configuration, complete. */
export type StackConfig = DeepReadonly<z.output<Schema>>;
