import { seldonVersions } from "../pins";
import { bytes, millicores } from "./fields";
import { checkModel, checkNames } from "./modelChecks";
import { type AppImageName, appImages, type ModelConfig } from "./models";
import type { Problem } from "./problems";
import type { StackConfig } from "./schema";

/** What of a configuration is right by itself: sections that are not are missing, models that are not undefined. */
export type Understood = Partial<Omit<StackConfig, "models">> & {
  readonly models?: readonly (ModelConfig | undefined)[] | undefined;
};

/**
 * What of a configuration does not fit together, though each value by itself would do. What has problems of its own is
 * left alone: only what is certainly wrong is told.
 *
 * @param written the configuration without defaults, which tells what the user has chosen.
 */
export function checkConfig(config: Understood, written: Readonly<Record<string, unknown>>): Problem[] {
  const models = config.models ?? [];
  return [
    ...checkLicence(config),
    ...checkObjectStore(config),
    ...checkImages(config),
    ...checkNames(models),
    ...models.flatMap((model, index) =>
      model === undefined
        ? []
        : checkModel(config, model, entry(written["models"], index), ["models", index]),
    ),
    ...checkQuota(config),
  ];
}

function entry(models: unknown, index: number): Readonly<Record<string, unknown>> {
  return (models as Readonly<Record<string, unknown>>[] | undefined)?.[index] ?? {};
}

function checkLicence({ serving }: Understood): Problem[] {
  if (serving === undefined) return [];
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

function checkObjectStore({ objectStore }: Understood): Problem[] {
  if (objectStore?.kind !== "external") return [];
  const { endpoint, provider, modelBucket, dataBucket } = objectStore;
  const problems: Problem[] = [];
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
  return problems;
}

/** Images that stay in a Docker daemon reach a cluster on the same machine only. */
function checkImages({ environment, images, models }: Understood): Problem[] {
  if (images === undefined) return [];
  const problems: Problem[] = [];
  if (images.buildArgs["PYTHON_IMAGE"] !== undefined)
    problems.push({
      path: ["images", "buildArgs", "PYTHON_IMAGE"],
      message: "is set by the platform: leave it out; mirror says where it is taken from",
    });
  if (environment === undefined || environment === "dev" || images.registry !== undefined) return problems;
  const built = imagesInUse(models ?? []).filter((name) => images.prebuilt[name] === undefined);
  if (built.length > 0)
    problems.push({
      path: ["images", "registry"],
      message:
        `is missing: ${built.join(" and ")} would stay in the local Docker daemon, out of reach of ${environment}. ` +
        "Name a registry to push to, or the built images under images.prebuilt",
    });
  return problems;
}

/** The project's own images that some model needs. */
export function imagesInUse(models: readonly (ModelConfig | undefined)[]): AppImageName[] {
  const used = new Set(models.flatMap((model) => [model?.image, model?.training?.image]));
  return appImages.filter((name) => used.has(name));
}

interface Amount {
  readonly cpu: number;
  readonly memory: number;
  readonly pods: number;
}

/** What does not fit into the quota is never scheduled, and the wait for it ends at the time-out. */
function checkQuota({ environment, models, modelQuota: quota }: Understood): Problem[] {
  // Without an environment, the defaults are anybody's.
  if (environment === undefined || models === undefined || quota === undefined) return [];
  const { cpu, memory, pods } = quotaNeeded(models.filter((model) => model !== undefined));
  const problem = (key: string, given: string | number, needed: string): Problem => ({
    path: ["modelQuota", key],
    message: `is ${given}, and the models and the largest training ask for ${needed}: raise it, or ask for less`,
  });
  return [
    ...(cpu > millicores(quota.cpu) ? [problem("cpu", quota.cpu, round(cpu / 1000))] : []),
    ...(memory > bytes(quota.memory)
      ? [problem("memory", quota.memory, `${round(memory / 2 ** 30)}Gi`)]
      : []),
    ...(pods > quota.pods ? [problem("pods", quota.pods, round(pods))] : []),
  ];
}

/** What all models ask for at their most, and the largest training beside them. */
function quotaNeeded(models: readonly ModelConfig[]): Amount {
  const amounts = models.flatMap((model) => {
    const count = model.autoscaling?.maxReplicas ?? model.replicas;
    const replicas = model.predictors?.map((one) => one.replicas ?? count) ?? [count];
    return replicas.map((pods) => ({
      pods,
      cpu: pods * millicores(model.resources.cpu),
      memory: pods * bytes(model.resources.memory),
    }));
  });
  const trainings = models.flatMap(({ training }) => training?.resources ?? []);
  const sum = (of: (amount: Amount) => number) => amounts.reduce((total, amount) => total + of(amount), 0);
  return {
    cpu: sum(({ cpu }) => cpu) + Math.max(0, ...trainings.map(({ cpu }) => millicores(cpu))),
    memory: sum(({ memory }) => memory) + Math.max(0, ...trainings.map(({ memory }) => bytes(memory))),
    pods: sum(({ pods }) => pods) + Math.min(1, trainings.length),
  };
}

/** Two decimals, rounded up: what is told has to be enough. */
function round(value: number): string {
  return String(Math.ceil(value * 100) / 100);
}
