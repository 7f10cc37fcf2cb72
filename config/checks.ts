import { checkBatch } from "../components/batch/schema";
import { checkImages } from "../components/images/schema";
import { checkObjectStore } from "../components/objectStore/schema";
import { executorResources } from "../components/serving/seldon/executor";
import { checkLicence } from "../components/serving/schema";
import {
  isSplit,
  mainPredictor,
  splitterPods,
  splitterResources,
} from "../components/serving/splitter/splits";
import { checkValues } from "../components/valueChecks";
import { bytes, millicores, type Resources } from "./fields";
import { partsOf } from "./graph";
import type { Decisions } from "./lock";
import { checkModel, checkNames } from "./modelChecks";
import type { ModelConfig } from "./models";
import type { Mistake } from "./mistakes";
import type { StackConfig } from "./schema";

type Batch = StackConfig["batch"][number];

/** What of a configuration is right by itself: sections that are not are missing, models and tables that are not undefined. */
export type Understood = Partial<Omit<StackConfig, "batch" | "models">> & {
  readonly batch?: readonly (Batch | undefined)[] | undefined;
  readonly models?: readonly (ModelConfig | undefined)[] | undefined;
};

/**
 * What of a configuration does not fit together, though each value by itself would do. What has mistakes of its own is
 * left alone: only what is certainly wrong is told.
 *
 * @param written the configuration without defaults, which tells what the user has chosen.
 * @param decisions what was decided of the names in the registry.
 */
export function checkConfig(
  config: Understood,
  written: Readonly<Record<string, unknown>>,
  decisions: Decisions,
): Mistake[] {
  const models = config.models ?? [];
  return [
    ...checkLicence(config),
    ...checkObjectStore(config),
    ...checkImages(config, decisions),
    ...checkNames(models),
    ...models.flatMap((model, index) =>
      model === undefined
        ? []
        : checkModel(config, model, entry(written["models"], index), ["models", index], decisions),
    ),
    ...checkBatch(config),
    ...checkQuota(config),
    ...checkValues(config),
  ];
}

function entry(models: unknown, index: number): Readonly<Record<string, unknown>> {
  return (models as Readonly<Record<string, unknown>>[] | undefined)?.[index] ?? {};
}

interface Amount {
  readonly cpu: number;
  readonly memory: number;
  readonly pods: number;
}

/** What does not fit into the quota is never scheduled, and the wait for it ends at the time-out. */
function checkQuota({ environment, models, batch = [], modelQuota: quota, serving }: Understood): Mistake[] {
  // Without an environment, the defaults are anybody's.
  if (environment === undefined || models === undefined || quota === undefined) return [];
  const { cpu, memory, pods } = quotaNeeded(
    models.filter((model) => model !== undefined),
    batch.filter((table) => table !== undefined),
    serving,
  );
  const who =
    batch.length === 0
      ? "the models and the largest training"
      : "the models, the largest training and the largest table";
  const problem = (key: string, given: string | number, needed: string): Mistake => ({
    path: ["modelQuota", key],
    message: `is ${given}, and ${who} ask for ${needed}: raise it, or ask for less`,
  });
  return [
    ...(cpu > millicores(quota.cpu) ? [problem("cpu", quota.cpu, round(cpu / 1000))] : []),
    ...(memory > bytes(quota.memory)
      ? [problem("memory", quota.memory, `${round(memory / 2 ** 30)}Gi`)]
      : []),
    ...(pods > quota.pods ? [problem("pods", quota.pods, round(pods))] : []),
  ];
}

/** What the containers of a model's pod ask for. */
function askedBy(model: ModelConfig): readonly Resources[] {
  const nodes = partsOf(model).map((part) => part.model.resources);
  return nodes.length === 1 ? nodes : [...nodes, executorResources];
}

/** What all models ask for at their most, and the largest training and the largest table beside them. */
function quotaNeeded(
  models: readonly ModelConfig[],
  tables: readonly Batch[],
  serving: Understood["serving"],
): Amount {
  const amounts = models.flatMap((model) => {
    const count = model.autoscaling?.maxReplicas ?? model.replicas;
    const replicas = model.predictors?.map((one) => one.replicas ?? count) ?? [count];
    const amount = (pods: number, containers: readonly Resources[]): Amount => ({
      pods,
      cpu: pods * containers.reduce((total, { cpu }) => total + millicores(cpu), 0),
      memory: pods * containers.reduce((total, { memory }) => total + bytes(memory), 0),
    });
    return [
      ...replicas.map((pods) => amount(pods, askedBy(model))),
      ...(isSplit(model, serving)
        ? [amount(splitterPods(mainReplicas(model), model.autoscaling), [splitterResources])]
        : []),
    ];
  });
  const trainings = models.flatMap(({ training }) => training?.resources ?? []);
  const most = (of: (table: Batch) => number) => Math.max(0, ...tables.map(of));
  const sum = (of: (amount: Amount) => number) => amounts.reduce((total, amount) => total + of(amount), 0);
  return {
    cpu:
      sum(({ cpu }) => cpu) +
      Math.max(0, ...trainings.map(({ cpu }) => millicores(cpu))) +
      most((table) => table.pods * millicores(table.resources.cpu)),
    memory:
      sum(({ memory }) => memory) +
      Math.max(0, ...trainings.map(({ memory }) => bytes(memory))) +
      most((table) => table.pods * bytes(table.resources.memory)),
    pods: sum(({ pods }) => pods) + Math.min(1, trainings.length) + most((table) => table.pods),
  };
}

/** Pods of the predictor that the splitter has as many of, where the model has no autoscaling. */
function mainReplicas({ predictors = [], replicas }: ModelConfig): number {
  return predictors.find(({ name }) => name === mainPredictor)?.replicas ?? replicas;
}

/** Two decimals, rounded up: what is told has to be enough. */
function round(value: number): string {
  return String(Math.ceil(value * 100) / 100);
}
