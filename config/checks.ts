import { seldonVersions } from "../pins";
import { bytes } from "./fields";
import { type AppImageName, appImages, type ModelConfig } from "./models";
import type { Problem } from "./problems";
import type { StackConfig } from "./schema";

/** What of a configuration does not fit together, though each value by itself would do. */
export function checkConfig(config: StackConfig, written: Readonly<Record<string, unknown>>): Problem[] {
  const models = (written["models"] ?? []) as readonly Readonly<Record<string, unknown>>[];
  return [
    ...checkLicence(config),
    ...checkObjectStore(config),
    ...checkImages(config),
    ...checkNames(config.models),
    ...config.models.flatMap((model, index) =>
      checkModel(config, model, models[index] ?? {}, ["models", index]),
    ),
    ...checkQuota(config),
  ];
}

function checkLicence({ serving }: StackConfig): Problem[] {
  const { licence } = seldonVersions[serving.version];
  if (licence === "Apache-2.0" || serving.licenceAcknowledged) return [];
  return [
    {
      path: ["serving", "version"],
      message:
        `is ${serving.version}, which is under ${licence}: no production use without a licence from Seldon. ` +
        "Set licenceAcknowledged: true if you may use it, or take 1.17.1, the last one under Apache-2.0",
    },
  ];
}

function checkObjectStore({ objectStore }: StackConfig): Problem[] {
  if (objectStore.kind === "minio") return [];
  return [
    ...(objectStore.endpoint === undefined && objectStore.provider !== "AWS"
      ? [{ path: ["objectStore", "endpoint"], message: "is missing; only AWS is found without" }]
      : []),
    ...(objectStore.modelBucket === objectStore.dataBucket
      ? [
          {
            path: ["objectStore", "dataBucket"],
            message: `is "${objectStore.dataBucket}", as modelBucket is: they need different users, so different buckets`,
          },
        ]
      : []),
  ];
}

/** Images that stay in a Docker daemon reach a cluster on the same machine only. */
function checkImages({ environment, images, models }: StackConfig): Problem[] {
  if (environment === "dev" || images.registry !== undefined) return [];
  const built = imagesInUse(models).filter((name) => images.prebuilt[name] === undefined);
  if (built.length === 0) return [];
  return [
    {
      path: ["images", "registry"],
      message:
        `is missing: ${built.join(" and ")} would stay in the local Docker daemon, out of reach of ${environment}. ` +
        "Name a registry to push to, or the built images under images.prebuilt",
    },
  ];
}

/** The project's own images that some model needs. */
export function imagesInUse(models: readonly ModelConfig[]): AppImageName[] {
  const used = new Set(models.flatMap(({ image, training }) => [image, training?.image]));
  return appImages.filter((name) => used.has(name));
}

function checkNames(models: readonly ModelConfig[]): Problem[] {
  const taken = new Map<string, PropertyKey[]>();
  return models.flatMap(({ name, predictors }, index) =>
    (predictors ?? [{ name: "default" }]).flatMap((predictor, place): Problem[] => {
      const service = `${name}-${predictor.name}`;
      const path =
        predictors === undefined ? ["models", index, "name"] : ["models", index, "predictors", place, "name"];
      const other = taken.get(service);
      taken.set(service, path);
      if (other === undefined) return [];
      return [{ path, message: `gives the address "${service}", which ${placeOf(other)} has already` }];
    }),
  );
}

function checkModel(
  config: StackConfig,
  model: ModelConfig,
  written: Readonly<Record<string, unknown>>,
  path: readonly PropertyKey[],
): Problem[] {
  const at = (key: string, message: string): Problem => ({ path: [...path, ...key.split(".")], message });
  const problems: Problem[] = [];
  const { server, image, training, autoscaling, predictors = [] } = model;

  if (server !== undefined && image !== undefined)
    problems.push(at("image", "stands beside server: keep one of them"));
  if (server === undefined && image === undefined)
    problems.push(at("server", "is missing: name a prepackaged server, or an image"));
  if (image === "house-price-train")
    problems.push(at("image", "trains and does not serve: take house-price-serve"));
  if (training?.image === "house-price-serve")
    problems.push(at("training.image", "serves and does not train: take house-price-train"));
  if (server !== undefined && model.protocol === "seldon")
    problems.push(
      at("protocol", "is seldon, which the prepackaged servers do not speak: leave it out, or take v2"),
    );
  if (server !== undefined && Object.keys(model.parameters).length > 0)
    problems.push(at("parameters", "are for the class in an image; a prepackaged server takes none"));

  const everyPredictorHasFiles = predictors.length > 0 && predictors.every((one) => one.model !== undefined);
  if (model.model !== undefined && training !== undefined)
    problems.push(at("model", "stands beside training: keep one of them"));
  if (server !== undefined && model.model === undefined && training === undefined && !everyPredictorHasFiles)
    problems.push(
      at("model", "is missing: a prepackaged server needs the address of a model's files, or a training"),
    );

  problems.push(...checkBuckets(config, model, path));
  for (const name of Object.keys(training?.parameters ?? {}))
    if (reserved.includes(name))
      problems.push(at(`training.parameters.${name}`, "is set by the platform: leave it out"));

  if (autoscaling !== undefined && written["replicas"] !== undefined)
    problems.push(at("replicas", "stands beside autoscaling: keep one of them"));
  if (autoscaling !== undefined && autoscaling.minReplicas > autoscaling.maxReplicas)
    problems.push(
      at(
        "autoscaling.minReplicas",
        `is ${autoscaling.minReplicas}, above maxReplicas (${autoscaling.maxReplicas})`,
      ),
    );
  const fewest = autoscaling?.minReplicas ?? model.replicas;
  if (model.minAvailable !== undefined && model.minAvailable >= fewest)
    problems.push(
      at(
        "minAvailable",
        `is ${model.minAvailable} of ${fewest}: no node could be drained; at most ${fewest - 1}`,
      ),
    );
  problems.push(...checkTraffic(config, model, path));
  return problems;
}

/** Options of the training command that the platform sets itself. */
const reserved = ["data", "experiment", "json", "publish", "register-as", "tag", "tracking-uri"];

/** The S3 users may read one bucket each. */
function checkBuckets(config: StackConfig, model: ModelConfig, path: readonly PropertyKey[]): Problem[] {
  const { modelBucket, dataBucket } = bucketsOf(config);
  const check = (
    address: string | undefined,
    bucket: string,
    what: string,
    ...keys: PropertyKey[]
  ): Problem[] => {
    const named = address?.startsWith("s3://") === true ? address.split("/")[2] : undefined;
    if (named === undefined || named === bucket) return [];
    const message = `is in bucket "${named}", and ${what} may read "${bucket}" only`;
    return [{ path: [...path, ...keys], message }];
  };
  return [
    ...check(model.model, modelBucket, "model servers", "model"),
    ...(model.predictors ?? []).flatMap((one, index) =>
      check(one.model, modelBucket, "model servers", "predictors", index, "model"),
    ),
    ...check(model.training?.data, dataBucket, "training", "training", "data"),
  ];
}

/** The names of the two buckets. */
export function bucketsOf({ objectStore }: StackConfig): { modelBucket: string; dataBucket: string } {
  if (objectStore.kind === "minio") return { modelBucket: "models", dataBucket: "datasets" };
  return objectStore;
}

function checkTraffic(
  config: StackConfig,
  { predictors }: ModelConfig,
  path: readonly PropertyKey[],
): Problem[] {
  if (predictors === undefined) return [];
  const at = (message: string): Problem => ({ path: [...path, "predictors"], message });
  const serving = predictors.filter(({ shadow }) => !shadow);
  const sum = serving.reduce((total, { traffic }) => total + traffic, 0);
  const problems: Problem[] = [];
  if (serving.length === 0) problems.push(at("are all shadows: whose answers would be given?"));
  else if (sum !== 100 && !(serving.length === 1 && sum === 0))
    problems.push(
      at(`share ${sum} % of the traffic; the shares of those that are no shadow must sum to 100`),
    );
  if (predictors.length - serving.length > 1)
    problems.push(at("hold more than one shadow; Seldon takes one"));
  if (predictors.length > 1 && config.serving.istio === undefined)
    problems.push(at("are several, and nothing would split the traffic: set serving.istio, or keep one"));
  return problems;
}

/** What does not fit into the quota is never scheduled, and the wait for it ends at the time-out. */
function checkQuota(config: StackConfig): Problem[] {
  const { models, modelQuota } = config;
  const pods = models.flatMap((model) => {
    const count = model.autoscaling?.maxReplicas ?? model.replicas;
    const shares = model.predictors?.map(({ replicas }) => replicas ?? count) ?? [count];
    return shares.map((replicas) => ({
      replicas,
      cpu: cores(model.resources.cpu) + cores(model.executor.cpu),
      memory: bytes(model.resources.memory) + bytes(model.executor.memory),
    }));
  });
  const trainings = models.flatMap(({ training }) => training ?? []);
  const largest = (of: (resources: { cpu: string; memory: string }) => number) =>
    Math.max(0, ...trainings.map(({ resources }) => of(resources)));
  const sum = (of: (pod: (typeof pods)[number]) => number) =>
    pods.reduce((total, pod) => total + pod.replicas * of(pod), 0);
  const cpu = sum((pod) => pod.cpu) + largest((asked) => cores(asked.cpu));
  const memory = sum((pod) => pod.memory) + largest((asked) => bytes(asked.memory));
  const problems: Problem[] = [];
  if (cpu > cores(modelQuota.cpu))
    problems.push({
      path: ["modelQuota", "cpu"],
      message: `is ${modelQuota.cpu}, and models and trainings ask for ${round(cpu)}`,
    });
  if (memory > bytes(modelQuota.memory))
    problems.push({
      path: ["modelQuota", "memory"],
      message: `is ${modelQuota.memory}, and models and trainings ask for ${round(memory / 2 ** 30)}Gi`,
    });
  return problems;
}

function cores(quantity: string): number {
  return quantity.endsWith("m") ? Number(quantity.slice(0, -1)) / 1000 : Number(quantity);
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** A place as it is written in an error: `mlplatform:models[0].name`. */
export function placeOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => {
      if (typeof part === "number") return `[${part}]`;
      return index === 0 ? `mlplatform:${String(part)}` : `.${String(part)}`;
    })
    .join("");
}
