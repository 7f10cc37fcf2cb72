import * as z from "zod";

import {
  type ByEnvironment,
  dnsLabel,
  hostName,
  labelKey,
  objectName,
  resources,
  values,
} from "../../config/fields";

/** The tracking server. */
export const tracking = (by: ByEnvironment) =>
  z
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
    .describe("MLflow: runs, registry, artifacts");
