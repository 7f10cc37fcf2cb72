import type { V1Deployment } from "@kubernetes/client-node";

import { namespaceNames } from "../../components/capabilities";
import {
  type PredictorSpec,
  deploymentName,
  scaledSuffix,
  versionLabel,
} from "../../components/serving/seldon/seldonDeployment";
import type { Protocol } from "../../config/servers";
import type { Cluster, Live } from "./cluster";
import { rolloutOf } from "./rollout";
import type { ServicePort } from "./services";

/** A version of a model, as far as the cluster has it. */
export interface ServedPredictor {
  /** Part of its address, whatever its version. */
  readonly name: string;
  /** Hash of what it runs; empty for one that the platform has not made. */
  readonly version: string;
  /** Name of the first node of its graph, by which the Open Inference Protocol addresses it. */
  readonly unit: string;
  /** Whether its graph has more nodes. */
  readonly chained: boolean;
  /** `s3://…` folder with the model's files; undefined if they are in the image. */
  readonly modelUri: string | undefined;
  /** Pods of this version that are ready. */
  readonly ready: number;
  readonly wanted: number;
  /** Pods of the version before, where they are replaced one by one: they answer too. */
  readonly former: number;
  /** Share of the requests, in percent. */
  readonly traffic: number;
  /** Where it is asked. */
  readonly address: ServicePort;
}

/** A model that is deployed. */
export interface ServedModel {
  readonly name: string;
  readonly namespace: string;
  readonly protocol: Protocol;
  /** As Seldon's operator says it: `Creating`, `Available`, `Failed`; empty if it has not said anything yet. */
  readonly state: string;
  /** Why it is in that state, where the operator says so. */
  readonly reason: string;
  readonly predictors: readonly ServedPredictor[];
}

/** A SeldonDeployment, as far as it is used here. */
export interface SeldonDeployment {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly finalizers?: readonly string[];
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly protocol?: Protocol;
    readonly predictors: readonly (Omit<PredictorSpec, "annotations" | "labels"> &
      Partial<Pick<PredictorSpec, "annotations" | "labels">>)[];
  };
  readonly status?: {
    readonly state?: string;
    readonly description?: string;
    readonly deploymentStatus?: Readonly<
      Record<string, { readonly replicas?: number; readonly availableReplicas?: number }>
    >;
  };
}

/** Seldon's group of the API. */
export const seldonGroup = "machinelearning.seldon.io";
/** The definition of SeldonDeployments. */
export const seldonDefinition = `seldondeployments.${seldonGroup}`;
/** Where the API server has it. */
export const definitionAddress = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${seldonDefinition}`;
const restPort = 8000;

/** All SeldonDeployments of the cluster, or of a namespace; none where their definition is missing. @throws Refused */
export async function seldonDeployments(cluster: Cluster, namespace?: string): Promise<SeldonDeployment[]> {
  const within = namespace === undefined ? "" : `/namespaces/${namespace}`;
  return cluster.list<SeldonDeployment>(`/apis/${seldonGroup}/v1${within}/seldondeployments`);
}

/** The models in the namespace for them. @throws Refused */
export async function servedModels(cluster: Cluster): Promise<ServedModel[]> {
  const found = await seldonDeployments(cluster, namespaceNames.models);
  const renewed = found.some(({ spec }) => spec.predictors.some(isRenewed));
  const address = `/apis/apps/v1/namespaces/${namespaceNames.models}/deployments`;
  const deployments = renewed ? await cluster.list<V1Deployment>(address) : [];
  return found.map((one) => toModel(one, deployments));
}

type Predictor = SeldonDeployment["spec"]["predictors"][number];

/** Whether its Deployment goes from version to version, and the operator does not say of which its pods are. */
function isRenewed({ labels = {} }: Predictor): boolean {
  return versionLabel in labels;
}

function toModel(
  { metadata: { name, namespace }, spec, status = {} }: SeldonDeployment,
  deployments: readonly Live<V1Deployment>[],
): ServedModel {
  const predictors = spec.predictors.map((predictor): ServedPredictor => {
    const { annotations = {}, labels = {}, replicas } = predictor;
    const version = annotations["version"] ?? "";
    const own = deploymentName(name, { ...predictor, annotations, labels });
    const { availableReplicas = 0, replicas: made = 0 } = status.deploymentStatus?.[own] ?? {};
    // The platform puts something behind the name, and its Service goes without.
    const behind = new RegExp(`-(${version}|${scaledSuffix})$`);
    const stable = version === "" ? predictor.name : predictor.name.replace(behind, "");
    return {
      name: stable,
      version,
      unit: predictor.graph.name,
      chained: (predictor.graph.children ?? []).length > 0,
      modelUri: predictor.graph.modelUri,
      ...(isRenewed(predictor)
        ? renewal(
            deployments.find(({ metadata }) => metadata?.name === own),
            version,
            fewest(predictor),
          )
        : { ready: availableReplicas, wanted: replicas ?? Math.max(made, fewest(predictor)), former: 0 }),
      traffic: predictor.traffic ?? 100,
      address: { namespace, service: `${name}-${stable}`, port: restPort },
    };
  });
  const { state = "", description = "" } = status;
  return { name, namespace, protocol: spec.protocol ?? "seldon", state, reason: description, predictors };
}

/** How far a Deployment has come on its way to a version. */
function renewal(
  deployment: Live<V1Deployment> | undefined,
  version: string,
  least: number,
): Pick<ServedPredictor, "former" | "ready" | "wanted"> {
  if (deployment === undefined) return { ready: 0, wanted: least, former: 0 };
  const rollout = rolloutOf(deployment);
  const wanted = Math.max(rollout.wanted, least);
  // The operator has not looked yet: its pods are the version before.
  if (deployment.metadata?.labels?.[versionLabel] !== version)
    return { ready: 0, wanted, former: deployment.status?.replicas ?? 0 };
  return { ready: rollout.renewed, wanted, former: rollout.former };
}

/** The fewest pods of a predictor whose number follows the load. Its first Deployment begins with one all the same. */
function fewest({ componentSpecs = [] }: Partial<Pick<PredictorSpec, "componentSpecs">>): number {
  return Math.max(1, ...componentSpecs.map(({ hpaSpec }) => hpaSpec?.minReplicas ?? 1));
}

/**
 * Where in MLflow's store a training has published what a predictor serves: `served/MODEL/HASH`; undefined if its files
 * come from elsewhere.
 */
export function publishedPlace({ modelUri }: Pick<ServedPredictor, "modelUri">): string | undefined {
  return /\/(served\/[^/]+\/[^/]+)\/?$/.exec(modelUri ?? "")?.[1];
}
