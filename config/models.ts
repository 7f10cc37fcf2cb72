import * as z from "zod";

import { dataAddress, modelAddress } from "./addresses";
import { canaryRule } from "./canaryRule";
import {
  type DeepReadonly,
  dnsLabel,
  type Environment,
  like,
  objectName,
  partialResources,
  resources,
  text,
  variableName,
} from "./fields";
import { imageProblem } from "./images";
import { imagesOf, manifests } from "./manifests";
import { protocols, servers } from "./servers";
import { units, unitTypes } from "./units";
import { nearest, shown } from "./words";

/**
 * The images of the project's models: one that trains for each of them, and one that serves, if it has a class; and those
 * of its units of graphs.
 */
export const appImages: readonly AppImageName[] = [
  ...manifests.flatMap(imagesOf),
  ...units.map((unit) => unit.image),
].sort();
export type AppImageName = string;

/** One of the project's images by its name, or another one by its reference. */
const image = text(`an image of the project (${appImages.join(", ")}), or a reference`, (value) => {
  if (appImages.some((name) => name === value)) return undefined;
  if (/[/:@]/.test(value)) return imageProblem(value);
  const known = nearest(value, appImages);
  return (
    `is ${shown(value)}, neither an image of the project (${appImages.join(", ")}) nor a reference ` +
    `with a tag or a digest${known === undefined ? "" : `; did you mean ${known}?`}`
  );
}).meta({
  type: `image of the project (${appImages.map((name) => `\`${name}\``).join(", ")}), or reference`,
});

const replicas = z.int().min(0).max(100);

/** Where a name ends up in DNS names beside others: `<model>-<predictor>`. */
const predictorName = dnsLabel(20);

const parameter = z.union([z.string(), z.number(), z.boolean()], {
  error: "must be text, a number, true or false",
});

const training = (environment: Environment) =>
  z.strictObject({
    image: image.describe("image that trains: one of the project's, or a reference"),
    data: dataAddress
      .optional()
      .describe("address of the data, `https://…` or `s3://…`; the sample in the image if left out"),
    parameters: z
      .record(
        text("an option of lower-case letters, digits and dashes", (value) => {
          if (/^[a-z][a-z0-9-]*$/.test(value)) return undefined;
          const mended = value.replace(/^-+/, "").replaceAll("_", "-").toLowerCase();
          return `is no option of lower-case letters, digits and dashes; did you mean ${mended}?`;
        }),
        parameter,
      )
      .default({})
      .describe("options of the training command, such as `max-depth: 6`"),
    keepData: z
      .boolean()
      .default(true)
      .describe(
        "whether a copy of the data is kept in `dataBucket`, by which a run can be repeated when they are gone: of each content one, of at most 256 MiB",
      ),
    resources: resources(
      {
        dev: { cpu: "500m", memory: "1Gi", memoryLimit: "2Gi" },
        staging: { cpu: "1", memory: "2Gi", memoryLimit: "4Gi" },
        prod: { cpu: "2", memory: "4Gi", memoryLimit: "8Gi" },
      }[environment],
    ),
    retries: z.int().min(0).max(10).default(2).describe("how often a failed training is tried again"),
    timeoutMinutes: z.int().min(1).max(1440).default(30).describe("minutes after which it is ended"),
  });

const predictor = z.strictObject({
  name: predictorName.describe("name, part of its address"),
  traffic: z
    .int()
    .min(0)
    .max(100)
    .default(0)
    .describe(
      "share of the requests, in percent; of a shadow those of which it gets copies, all if left out",
    ),
  shadow: z
    .boolean()
    .default(false)
    .describe("whether it gets a copy of the requests, and its answers are dropped"),
  model: modelAddress.optional().describe("another version than the model's own"),
  replicas: replicas.optional().describe("number of pods; as many as the model's if left out"),
});

/** A single model: an entry of `models` without a graph. */
function singleSchema(environment: Environment) {
  const several = { dev: 1, staging: 1, prod: 2 }[environment];
  return z.strictObject({
    name: dnsLabel(40).describe("name of the SeldonDeployment and part of its address"),
    server: z
      .enum(servers)
      .optional()
      .describe(
        "standard server, prepackaged or, as `mlflow`, made of the packages that the version requires; either this or " +
          "`image`; the one that loads its files if the registry tells",
      ),
    image: image.optional().describe("image with the model's code: one of the project's, or a reference"),
    model: modelAddress
      .optional()
      .describe(
        "which version it is: `models:/NAME@ALIAS` or `models:/NAME/3` of MLflow's registry, or a folder `s3://…`; " +
          "with a `training`, `models:/NAME@champion` if left out",
      ),
    allowCode: z
      .boolean()
      .default(false)
      .describe(
        "whether a model may bring code that runs in its pod, in a pickle or as Python files; SKLEARN_SERVER loads " +
          "nothing but pickles",
      ),
    parity: z
      .enum(["on", "off"])
      .default("on")
      .describe(
        "whether a standard server has to answer as the model's training or its own libraries did; `off` where nobody can " +
          "tell: no input example, or answers by chance",
      ),
    training: training(environment).optional().describe("trains the model, and registers what comes of it"),
    protocol: z
      .enum(protocols)
      .optional()
      .describe(
        "form of the requests: `v2` (Open Inference Protocol) for prepackaged servers, else `seldon`",
      ),
    parameters: z.record(variableName, parameter).default({}).describe("arguments of the model's class"),
    replicas: replicas.default(several).describe("number of pods; either this or `autoscaling`"),
    autoscaling: z
      .strictObject({
        minReplicas: z
          .int()
          .min(1)
          .max(100)
          .describe("fewest pods; a version is in service when so many of its own are ready"),
        maxReplicas: z.int().min(1).max(100).describe("most pods"),
        cpuUtilization: z
          .int()
          .min(10)
          .max(100)
          .default(70)
          .describe("percent of the CPU asked for at which pods are added; needs metrics-server"),
      })
      .optional()
      .describe("pods by load; either this or `replicas`. A new version takes over as many as there are"),
    minAvailable: z
      .int()
      .min(1)
      .optional()
      .describe("pods that stay while nodes are drained (`autoscaling`: all but one of `minReplicas` do)"),
    resources: resources(
      {
        dev: { cpu: "250m", memory: "512Mi", memoryLimit: "1Gi" },
        staging: { cpu: "250m", memory: "512Mi", memoryLimit: "1Gi" },
        prod: { cpu: "500m", memory: "1Gi", memoryLimit: "2Gi" },
      }[environment],
    ),
    startupSeconds: z
      .int()
      .min(10)
      .max(3600)
      .default(120)
      .describe("seconds that the server may take to load the model before it is started again"),
    environment: z
      .record(
        variableName,
        z
          .strictObject({
            secret: objectName.describe("a Secret in namespace `ml-models`"),
            key: like(
              /^[-._a-zA-Z0-9]{1,253}$/,
              "a key of a Secret: letters, digits, dashes, dots and underscores",
            ).describe("the key in that Secret"),
          })
          .meta({ expected: "a Secret and its key, {secret: …, key: …}", hidden: true }),
      )
      .default({})
      .describe("environment variables, each from a Secret: Seldon would copy plain ones into its own"),
    canary: canaryRule,
    predictors: z
      .array(predictor)
      .min(1, { error: "is empty: leave it out for a single predictor" })
      .optional()
      .describe(
        "several versions side by side, with shares of the requests; one of them is called `default`",
      ),
  });
}

/** What a node of a graph has beside the nodes behind it. */
function nodeShape(environment: Environment) {
  const { shape } = singleSchema(environment);
  const { server, model, allowCode, parity, parameters, startupSeconds } = shape;
  return {
    name: dnsLabel(40).describe("name of the unit and of its container"),
    type: z
      .enum(unitTypes)
      .optional()
      .describe("what it does with a request; a `MODEL`, or what the project's unit is, if left out"),
    ...{ server, model, allowCode, parity, parameters, environment: shape.environment },
    image: image.optional().describe("image with the code of the unit or of the model"),
    resources: partialResources
      .default({})
      .describe("as the whole entry's where left out; a unit of the project asks for less"),
    startupSeconds: startupSeconds
      .unwrap()
      .optional()
      .describe("seconds that it may take before it is started again")
      .meta({ fallback: "as the whole entry's" }),
  };
}

/** A node of a graph, complete. */
export type NodeConfig = DeepReadonly<z.output<z.ZodObject<ReturnType<typeof nodeShape>>>> & {
  readonly children: readonly NodeConfig[];
};

/** One entry of `models`. What of it must fit together is in `checks.ts`. */
export function modelSchema(environment: Environment) {
  const node = z.strictObject({
    ...nodeShape(environment),
    get children(): z.ZodType<readonly NodeConfig[]> {
      const list = z.array(node).default([]).describe("the nodes behind it, each with the keys of `graph`");
      return list;
    },
  });
  return singleSchema(environment).extend({
    graph: node
      .optional()
      .describe("several units in one pod, in the place of a single model: `docs/graphs.md`"),
    grpc: z
      .boolean()
      .optional()
      .describe("whether it answers over gRPC too, which no graph of units does in the protocol `v2`")
      .meta({ fallback: "`true` where it can" }),
  });
}

/** One entry of `models`, complete. */
export type ModelConfig = DeepReadonly<z.output<ReturnType<typeof modelSchema>>>;
