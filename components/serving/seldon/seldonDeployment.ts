/**
 * The part of Seldon's `SeldonDeployment` that the platform writes, and the names that its operator derives.
 * https://docs.seldon.ai/seldon-core-1/reference/seldondeployment
 */
import { createHash } from "node:crypto";

import type { PrepackagedServer } from "../../../config/servers";
import type { UnitType } from "../modelServer";

/** Has the name of the model, on a SeldonDeployment that is not called as its model is. */
export const modelLabel = "mlplatform/model";
/** Marks the pods of a predictor, whatever its version. */
export const predictorLabel = "mlplatform/predictor";
/** Marks the pods of a version, where the predictor's name does not. */
export const versionLabel = "mlplatform/version";
/** Marks the pods that MLServer runs in: it has its metrics on a port that the pods do not declare. */
export const standardLabel = { "mlplatform/server": "mlserver" } as const;
/** What a predictor's name ends with where it stays the same whatever the version: under autoscaling. */
export const scaledSuffix = "scaled";

/** A value that a unit's class gets as an argument. */
export interface UnitParameter {
  readonly name: string;
  readonly type: "BOOL" | "FLOAT" | "INT" | "STRING";
  readonly value: string;
}

/** A node of an inference graph, as the operator takes it. */
export interface GraphUnit {
  readonly name: string;
  readonly type: UnitType;
  readonly implementation?: PrepackagedServer;
  readonly modelUri?: string;
  readonly envSecretRefName?: string;
  readonly parameters?: readonly UnitParameter[];
  readonly children?: readonly GraphUnit[];
}

/** One predictor, as the operator takes it. */
export interface PredictorSpec {
  readonly name: string;
  readonly traffic?: number;
  readonly shadow?: boolean;
  readonly replicas?: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly graph: GraphUnit;
  readonly componentSpecs: readonly {
    readonly hpaSpec?: { readonly minReplicas?: number };
    readonly spec: { readonly containers: readonly { readonly name: string }[] };
  }[];
  /** Of Seldon's executor, where the graph has one. */
  readonly svcOrchSpec?: object;
}

/**
 * The node that says what a graph takes, and has an example of it: the first one, but that combiners, routers and output
 * transformers hand on what they get.
 */
export function describingUnit(graph: GraphUnit): GraphUnit {
  const [behind] = graph.children ?? [];
  return behind === undefined || graph.type === "MODEL" || graph.type === "TRANSFORMER"
    ? graph
    : describingUnit(behind);
}

/** Types of parameters by the values they are given as. */
export function unitParameters(
  parameters: Readonly<Record<string, string | number | boolean>>,
): UnitParameter[] {
  const type = (value: string | number | boolean) => {
    if (typeof value === "boolean") return "BOOL";
    if (typeof value === "string") return "STRING";
    return Number.isInteger(value) ? "INT" : "FLOAT";
  };
  return Object.keys(parameters)
    .sort()
    .map((name) => {
      const value = parameters[name] ?? "";
      return { name, type: type(value), value: String(value) };
    });
}

/**
 * The Deployment that the operator makes of a predictor with one component, as `GetDeploymentName` of its
 * `seldondeployment_types.go` does (1.17.1 to 1.19.0).
 */
export function deploymentName(model: string, predictor: PredictorSpec): string {
  const containers = predictor.componentSpecs.flatMap(({ spec }) => spec.containers.map(({ name }) => name));
  const name = `${model}-${predictor.name}-0-${containers.join("-")}`;
  return name.length > 63 ? `seldon-${createHash("md5").update(name).digest("hex")}` : name;
}

/**
 * What Pulumi waits for: https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/
 *
 * `state` alone may still be that of the version before, since the operator does not say which generation it speaks
 * of. A Deployment's name has the version in it, so its replicas are this version's. Under autoscaling it has not, and
 * the disruption budget of the version tells (`disruptionBudget.ts`).
 */
export function readiness(model: string, predictors: readonly PredictorSpec[]): string {
  const available = predictors
    .filter(({ replicas }) => replicas !== 0)
    .map((predictor) => {
      const replicas = `.status.deploymentStatus['${deploymentName(model, predictor)}'].availableReplicas`;
      // Under a HorizontalPodAutoscaler any number will do.
      return `jsonpath={${replicas}}${predictor.replicas === undefined ? "" : `=${predictor.replicas}`}`;
    });
  return JSON.stringify([...available, "jsonpath={.status.state}=Available"]);
}
