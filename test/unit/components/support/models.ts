import {
  ModelDeployment,
  type ModelDeploymentArgs,
} from "../../../../components/serving/seldon/modelDeployment";
import type { GraphNode, PredictorArgs } from "../../../../components/serving/modelServer";
import { at, consume, create, type Created } from "./created";
import { resources } from "./surroundings";

/** A model with code of its own. */
export const custom: GraphNode = {
  name: "house-price",
  image: "registry.example.com/serve:1",
  modelUri: "s3://models/a",
  parameters: { model_name: "house-price" },
  resources,
  startupSeconds: 120,
};

/** A model that Seldon's server for XGBoost serves. */
export const prepackaged: GraphNode = {
  name: "wine",
  server: "XGBOOST_SERVER",
  image: "docker.io/seldonio/mlserver:1.7.1-xgboost",
  modelUri: "s3://models/wine",
  resources,
  startupSeconds: 60,
};

/** A predictor of two pods that serves {@link custom}. */
export function predictor(args: Partial<PredictorArgs> = {}): PredictorArgs {
  return { name: "default", graph: custom, replicas: 2, ...args };
}

/** Puts a model into service; by default {@link custom}, in the namespace `m`. */
export function deploy(args: Partial<ModelDeploymentArgs> = {}): Promise<Created> {
  return create(() => {
    const { urls } = new ModelDeployment("it", {
      model: "house-price",
      namespace: "m",
      after: [],
      storageSecret: "keys",
      protocol: "seldon",
      predictors: [predictor()],
      ...args,
    });
    consume(
      "url-user",
      urls.apply((all) => Object.values(all).join()),
    );
    return { urls };
  });
}

/** The SeldonDeployment's predictors. */
export function predictors(created: Created): Record<string, unknown>[] {
  return at(created.inputs("SeldonDeployment"), "spec", "predictors") as Record<string, unknown>[];
}

/** Names of the predictors of a model that serves the graph. */
export async function versionOf(graph: GraphNode, args: Partial<ModelDeploymentArgs> = {}): Promise<string> {
  const created = await deploy({ predictors: [predictor({ graph })], ...args });
  return String(predictors(created)[0]?.["name"]);
}

/** What Pulumi is told to wait for. */
export function awaited(created: Created): string[] {
  const annotations = at(created.inputs("SeldonDeployment"), "metadata", "annotations");
  return JSON.parse(String(at(annotations, "pulumi.com/waitFor"))) as string[];
}
