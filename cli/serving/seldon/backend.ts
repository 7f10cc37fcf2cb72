import {
  type PredictorSpec,
  deploymentName,
  versionLabel,
} from "../../../components/serving/seldon/seldonDeployment";
import { seldonChartName } from "../../../pins";
import { at, list, text } from "../../../policy/rules/values";
import type { Backend, DeclaredVersion, Labelled } from "../backend";
import { certificateItems } from "./certificate";
import { removeUnusedDefinition } from "./definition";
import { servedModels } from "./models";
import { deploymentsIn, kind } from "./resource";

const label = "seldon-deployment-id";

/** The part of a SeldonDeployment that tells which of its Deployments are meant to be there. */
interface Wanting {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly predictors: readonly (Pick<PredictorSpec, "name"> & Partial<PredictorSpec>)[] };
}

/** Seldon Core 1. */
export const seldon = {
  kind,
  chart: seldonChartName,
  addressIn: deploymentsIn,
  models: servedModels,
  declared: declaredVersions,
  facts: (inputs) => list(at(inputs, "spec", "predictors")).map(predictorInWords),
  label,
  wants,
  certificates: certificateItems,
  removeLeft: removeUnusedDefinition,
} as const satisfies Backend<Wanting>;

function declaredVersions(inputs: Readonly<Record<string, unknown>>): DeclaredVersion[] {
  const { predictors = [] } = (inputs["spec"] ?? {}) as {
    predictors?: readonly { name: string; replicas?: number; annotations?: Record<string, string> }[];
  };
  return predictors
    .filter(({ replicas }) => replicas !== 0)
    .map(({ name, annotations = {} }) => ({ name, version: annotations["version"] ?? "" }));
}

function predictorInWords(predictor: unknown): string {
  const traffic = at(predictor, "traffic");
  return [
    text(at(predictor, "name")),
    typeof traffic === "number" ? `${traffic} %` : undefined,
    text(at(predictor, "graph", "implementation")),
    text(at(predictor, "graph", "modelUri")),
  ]
    .filter((part) => part !== undefined)
    .join(" ");
}

function wants({ metadata: { name: model }, spec }: Wanting, { metadata }: Labelled): boolean {
  const { name = "", labels = {} } = metadata ?? {};
  return spec.predictors.some((predictor) => {
    const prefix = `${model}-${predictor.name}-`;
    // The number of a component: the hash that another version's name goes on with may begin with digits too.
    const matches =
      name.startsWith(prefix) && /^(\d{1,2}-|explainer|svc-orch)/.test(name.slice(prefix.length));
    // One that goes from version to version is of the former until the operator has looked.
    const current = labels[versionLabel] === predictor.labels?.[versionLabel];
    return current && (matches || name === hashedName(model, predictor));
  });
}

/** A name that is too long is a hash of one, which is known where the containers are: in the platform's own models. */
function hashedName(model: string, predictor: Wanting["spec"]["predictors"][number]): string | undefined {
  const { componentSpecs } = predictor;
  return componentSpecs && deploymentName(model, { ...predictor, componentSpecs } as PredictorSpec);
}
