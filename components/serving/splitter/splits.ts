/** What others must know of splitters, as data. */
import type { Resources } from "../../../config/fields";
import type { ModelConfig } from "../../../config/models";
import type { StackConfig } from "../../../config/schema";
import type { Ports } from "./envoyConfig";

/** The predictor that a model has where it serves one version alone, and that answers for others in a split. */
export const mainPredictor = "default";
/**
 * The predictor that a graph has. Under another name, a model that becomes a graph has an address for each of both while
 * the one takes the place of the other.
 */
export const graphPredictor = "graph";

/** The predictor of a model that has none in its configuration. */
export function solePredictor({ graph }: Pick<ModelConfig, "graph">): string {
  return graph === undefined ? mainPredictor : graphPredictor;
}

/** What Envoy needs to pass requests on. */
export const splitterResources: Resources = { cpu: "50m", memory: "96Mi", memoryLimit: "256Mi" };

/** The ports of a splitter's pods. */
export const splitterPorts = { rest: 8000, grpc: 5001, health: 9902, admin: 9901 } as const satisfies Ports;

/** Marks a splitter's pods. */
export const splitterLabels = { "app.kubernetes.io/component": "splitter" } as const;

/**
 * Whether a splitter stands before a model: where it has several predictors or is a graph, unless Istio leads the requests.
 * Before a graph it asks again where Seldon's executor, which stops listening as soon as it is told to end, hears nothing.
 */
export function isSplit(
  { predictors = [], graph }: Pick<ModelConfig, "graph" | "predictors">,
  serving: Pick<StackConfig["serving"], "istio"> | undefined,
): boolean {
  return (predictors.length > 1 || graph !== undefined) && serving?.istio === undefined;
}

/**
 * How many pods a splitter has: two where the model has several, so that one stays while a node is drained.
 *
 * @param replicas of the main predictor, where their number is fixed.
 */
export function splitterPods(replicas: number, autoscaling?: { readonly minReplicas: number }): number {
  return Math.min(2, Math.max(1, autoscaling?.minReplicas ?? replicas));
}
