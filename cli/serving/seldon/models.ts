import type { V1Deployment } from "@kubernetes/client-node";

import { namespaceNames } from "../../../components/capabilities";
import {
  type PredictorSpec,
  deploymentName,
  describingUnit,
  modelLabel,
  scaledSuffix,
  versionLabel,
} from "../../../components/serving/seldon/seldonDeployment";
import type { Cluster, Live } from "../../cluster/cluster";
import { rolloutOf } from "../../cluster/rollout";
import type { ServedModel, ServedPredictor } from "../served";
import { type SeldonDeployment, deploymentsIn } from "./resource";

const restPort = 8000;

/** The models in the namespace for them. @throws Refused */
export async function servedModels(cluster: Cluster): Promise<ServedModel[]> {
  const found = await cluster.list<SeldonDeployment>(deploymentsIn(namespaceNames.models));
  const renewed = found.some(({ spec }) => spec.predictors.some(isRenewed));
  const address = `/apis/apps/v1/namespaces/${namespaceNames.models}/deployments`;
  const deployments = renewed ? await cluster.list<V1Deployment>(address) : [];
  const names = new Set(found.map(({ metadata }) => metadata.name));
  return found.map((one) => toModel(one, nameOf(one, names), deployments));
}

/**
 * The model that it is. While one becomes a graph, or where that has failed, there are both: each is known by the name of
 * its resource then.
 */
function nameOf({ metadata: { name, labels = {} } }: SeldonDeployment, taken: ReadonlySet<string>): string {
  const model = labels[modelLabel];
  return model === undefined || taken.has(model) ? name : model;
}

type Predictor = SeldonDeployment["spec"]["predictors"][number];

/** Whether its Deployment goes from version to version, and the operator does not say of which its pods are. */
function isRenewed({ labels = {} }: Predictor): boolean {
  return versionLabel in labels;
}

function toModel(
  { metadata, spec, status = {} }: SeldonDeployment,
  name: string,
  deployments: readonly Live<V1Deployment>[],
): ServedModel {
  const { name: resource, namespace } = metadata;
  const model = metadata.labels?.[modelLabel] ?? resource;
  const predictors = spec.predictors.map((predictor): ServedPredictor => {
    const { annotations = {}, labels = {}, replicas } = predictor;
    const version = annotations["version"] ?? "";
    // One that somebody else has made may leave its containers to the operator.
    const own = deploymentName(resource, { componentSpecs: [], ...predictor, annotations, labels });
    const { availableReplicas = 0, replicas: made = 0 } = status.deploymentStatus?.[own] ?? {};
    // The platform puts something behind the name, and its Service goes without.
    const behind = new RegExp(`-(${version}|${scaledSuffix})$`);
    const stable = version === "" ? predictor.name : predictor.name.replace(behind, "");
    return {
      name: stable,
      version,
      unit: describingUnit(predictor.graph).name,
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
      address: { namespace, service: `${model}-${stable}`, port: restPort },
    };
  });
  const { state = "", description = "" } = status;
  return {
    ...{ name, resource, namespace, protocol: spec.protocol ?? "seldon", predictors },
    condition: state === "" ? "new" : state === "Available" ? "serves" : "failing",
    ...{ state, reason: description },
  };
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
