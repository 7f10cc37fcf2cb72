import type { PredictorSpec } from "../../../components/serving/seldon/seldonDeployment";
import type { Protocol } from "../../../config/servers";
import type { Cluster } from "../../cluster/cluster";

/** A SeldonDeployment, as far as it is used here. */
export interface SeldonDeployment {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly protocol?: Protocol;
    readonly predictors: readonly (Pick<PredictorSpec, "graph" | "name"> & Partial<PredictorSpec>)[];
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
/** Kind of the resource that a model is. */
export const kind = "SeldonDeployment";

/** Where the API server has the SeldonDeployments of a namespace. */
export function deploymentsIn(namespace: string): string {
  return `/apis/${seldonGroup}/v1/namespaces/${namespace}/seldondeployments`;
}

/** All SeldonDeployments of the cluster; none where their definition is missing. @throws Refused */
export function seldonDeployments(cluster: Cluster): Promise<SeldonDeployment[]> {
  return cluster.list<SeldonDeployment>(`/apis/${seldonGroup}/v1/seldondeployments`);
}
