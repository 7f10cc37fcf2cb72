import * as z from "zod";

import { cpu, dataAddress, dnsLabel, type Environment, imageRef, memory, resources, s3Uri } from "./fields";

/** Seldon's servers for models that need no code of their own, run by MLServer. */
export const prepackagedServers = ["MLFLOW_SERVER", "SKLEARN_SERVER", "XGBOOST_SERVER"] as const;
export type PrepackagedServer = (typeof prepackagedServers)[number];

/** The images that the project builds. */
export const appImages = ["house-price-serve", "house-price-train"] as const;
export type AppImageName = (typeof appImages)[number];

/** One of the project's images by its name, or another one by its reference. */
const image = z.union([z.enum(appImages), imageRef], {
  error: ({ input }) =>
    `"${String(input)}" is neither an image of the project (${appImages.join(", ")}) ` +
    "nor a reference with a tag other than latest, or with a digest",
});

const replicas = z.int().min(0).max(100);

/** Where a name ends up in DNS names beside others: `<model>-<predictor>`. */
const predictorName = dnsLabel(20);

const parameter = z.union([z.string(), z.number(), z.boolean()], {
  error: "is neither text, number nor true or false",
});

const training = (environment: Environment) =>
  z.strictObject({
    image: image.describe("image that trains: one of the project's, or a reference"),
    data: dataAddress
      .optional()
      .describe("address of the data, `https://…` or `s3://…`; the sample in the image if left out"),
    parameters: z
      .record(
        z.string().regex(/^[a-z][a-z0-9-]*$/, { error: "is no option: lower-case letters, digits, dashes" }),
        parameter,
      )
      .default({})
      .describe("options of the training command, such as `max-depth: 6`"),
    resources: resources(
      {
        dev: { cpu: "500m", memory: "1Gi", memoryLimit: "2Gi" },
        staging: { cpu: "1", memory: "2Gi", memoryLimit: "4Gi" },
        prod: { cpu: "2", memory: "4Gi", memoryLimit: "8Gi" },
      }[environment],
    ),
    retries: z.int().min(0).max(10).default(2).describe("how often a failed training is tried again"),
    timeoutMinutes: z.int().min(1).max(1440).default(30).describe("after which it is ended"),
  });

const predictor = z.strictObject({
  name: predictorName.describe("its name, part of its address"),
  traffic: z.int().min(0).max(100).default(0).describe("share of the requests, in percent"),
  shadow: z.boolean().default(false).describe("gets a copy of the requests, and its answers are dropped"),
  model: s3Uri.optional().describe("files of another version than the model's own"),
  replicas: replicas.optional().describe("pods; as many as the model's if left out"),
});

/** One entry of `models`. What of it must fit together is in `checks.ts`. */
export function modelSchema(environment: Environment) {
  const several = { dev: 1, staging: 1, prod: 2 }[environment];
  return z.strictObject({
    name: dnsLabel(40).describe("name of the SeldonDeployment and part of its address"),
    server: z.enum(prepackagedServers).optional().describe("prepackaged server; either this or `image`"),
    image: image.optional().describe("image with the model's code: one of the project's, or a reference"),
    model: s3Uri.optional().describe("the model's files; either this or `training`"),
    training: training(environment).optional().describe("train the model first, and serve what comes of it"),
    protocol: z
      .enum(["seldon", "v2"])
      .optional()
      .describe("of requests: `v2` (Open Inference Protocol) for prepackaged servers, else `seldon`"),
    parameters: z
      .record(z.string().regex(/^[A-Za-z_]\w*$/, { error: "is no name of a parameter" }), parameter)
      .default({})
      .describe("arguments of the model's class"),
    replicas: replicas.default(several).describe("pods; either this or `autoscaling`"),
    autoscaling: z
      .strictObject({
        minReplicas: z.int().min(1).max(100).describe("fewest pods"),
        maxReplicas: z.int().min(1).max(100).describe("most pods"),
        cpuUtilization: z
          .int()
          .min(10)
          .max(100)
          .default(70)
          .describe("percent of the CPU asked for at which pods are added; needs metrics-server"),
      })
      .optional()
      .describe("number of pods by load; either this or `replicas`"),
    minAvailable: z
      .int()
      .min(1)
      .optional()
      .describe("pods that stay while nodes are drained; a disruption budget is made for each predictor"),
    resources: resources(
      {
        dev: { cpu: "250m", memory: "512Mi", memoryLimit: "1Gi" },
        staging: { cpu: "250m", memory: "512Mi", memoryLimit: "1Gi" },
        prod: { cpu: "500m", memory: "1Gi", memoryLimit: "2Gi" },
      }[environment],
    ),
    executor: z
      .strictObject({
        cpu: cpu.default("50m").describe("CPU that is kept free for it"),
        memory: memory.default("64Mi").describe("memory that is kept free for it"),
        memoryLimit: memory.default("256Mi").describe("memory beyond which it is ended"),
      })
      .prefault({})
      .describe("resources of Seldon's executor, which stands in each pod"),
    startupSeconds: z
      .int()
      .min(10)
      .max(3600)
      .default(120)
      .describe("how long the server may take to load the model before it is started again"),
    environment: z
      .record(
        z.string().regex(/^[A-Za-z_]\w*$/, { error: "is no name of a variable" }),
        z.strictObject({
          secret: dnsLabel(253).describe("a Secret in namespace `ml-models`"),
          key: z.string().min(1, { error: "is empty" }).describe("its key"),
        }),
      )
      .default({})
      .describe("environment variables, each from a Secret: Seldon would copy plain ones into its own"),
    predictors: z
      .array(predictor)
      .min(1, { error: "is empty: leave it out for a single predictor" })
      .optional()
      .describe("several versions side by side, with shares of the traffic; needs `serving.istio`"),
  });
}

export type ModelConfig = z.output<ReturnType<typeof modelSchema>>;
