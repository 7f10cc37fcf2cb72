import * as z from "zod";

import { seldonVersions, type SeldonVersion } from "../pins";
import { chartsPlace } from "./addresses";
import {
  type ByEnvironment,
  cpu,
  type DeepReadonly,
  dnsLabel,
  environments,
  type Environment,
  filled,
  hostName,
  imageRef,
  labelKey,
  labelValue,
  like,
  memory,
  objectName,
  registry,
  resources,
  values,
  variableName,
} from "./fields";
import { appImages, modelSchema } from "./models";
import { database, objectStore } from "./stores";

// Compiled, a schema parses faster the second time; here there is none, and compiling takes three times the parsing.
z.config({ jitless: true });

const seldonVersion = z.enum(Object.keys(seldonVersions) as SeldonVersion[]);

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

    tracking: z
      .strictObject({
        replicas: z
          .int()
          .min(1)
          .max(20)
          .default(by({ dev: 1, staging: 1, prod: 2 }))
          .describe("number of pods"),
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
            host: hostName.describe("public host name"),
            className: objectName.describe("name of the ingress class"),
            namespace: dnsLabel().describe("namespace of the ingress controller, which is let in"),
            tlsSecret: objectName.describe("Secret in namespace `mlflow` with the certificate"),
            annotations: z
              .record(labelKey, z.string())
              .default({})
              .describe("annotations; MLflow has no log-in of its own here, so ask for the controller's"),
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
          .describe("`true` says that you have read the licence of a version from 1.18 on, and may use it"),
        certificate: z
          .enum(["chart", "cert-manager"])
          .default("chart")
          .describe(
            "who makes the webhook's certificate: `cert-manager` renews it and has to be in the cluster; " +
              "`chart` makes one that is valid for 365 days",
          ),
        certificateSerial: z
          .int()
          .min(1)
          .default(1)
          .describe("raise it to have the chart make a new certificate; it is made anew at upgrades too"),
        istio: z
          .strictObject({
            gateway: like(
              /^[a-z0-9]([-a-z0-9]*[a-z0-9])?\/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
              'namespace and name of a gateway, such as "istio-system/seldon-gateway"',
            )
              .default("istio-system/seldon-gateway")
              .describe("the gateway"),
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
          .describe(
            "whether to make ServiceMonitors and PodMonitors; the Prometheus operator has to be in the cluster",
          ),
        namespace: dnsLabel().default("monitoring").describe("namespace of Prometheus, which is let in"),
        labels: z
          .record(labelKey, labelValue)
          .default({ release: "kube-prometheus-stack" })
          .describe("labels by which Prometheus finds the monitors"),
      })
      .prefault({})
      .describe("what Prometheus gets to see"),

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
          .record(variableName, z.string())
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
