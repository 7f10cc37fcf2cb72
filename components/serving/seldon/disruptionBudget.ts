import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

import { ownership } from "../../kubernetes";
import { versionLabel } from "./seldonDeployment";

/** Pods for which there is a budget. */
export interface BudgetedPods {
  /** Address of the model and its predictor: `house-price-default`. */
  readonly address: string;
  readonly namespace: pulumi.Input<string>;
  /** Labels that all of them have. */
  readonly selector: Readonly<Record<string, string>>;
}

/**
 * A budget for the pods of a predictor while nodes are drained.
 *
 * Not the operator's: its budget selects all predictors at once, and two of them keep each other from being kept.
 *
 * @param minAvailable how many stay.
 */
export function createBudget(
  name: string,
  { address, namespace, selector }: BudgetedPods,
  minAvailable: number,
  opts: pulumi.CustomResourceOptions,
): k8s.policy.v1.PodDisruptionBudget {
  return new k8s.policy.v1.PodDisruptionBudget(
    `${name}-budget`,
    {
      metadata: { name: address, namespace, labels: ownership },
      spec: { minAvailable, selector: { matchLabels: selector } },
    },
    opts,
  );
}

/**
 * A budget for the pods of one version, which counts as there when so many of them are ready.
 *
 * It is what Pulumi waits for under autoscaling: the operator's status speaks of a Deployment that goes from version to
 * version, and does not say of which. A budget allows a disruption exactly when more of its pods are ready than have to
 * stay, so that one that wants all but one of them kept allows it when all are ready.
 *
 * It is another resource for each version, made before the one of the version before goes: so each pod is under one
 * budget, as pods under two cannot be evicted, and a version that fails leaves the budget of the one that serves.
 */
export function createVersionBudget(
  name: string,
  { address, namespace, selector }: BudgetedPods,
  { version, pods }: { readonly version: string; readonly pods: number },
  opts: pulumi.CustomResourceOptions,
): k8s.policy.v1.PodDisruptionBudget {
  return new k8s.policy.v1.PodDisruptionBudget(
    `${name}-${version}-budget`,
    {
      metadata: {
        name: `${address}-${version}`,
        namespace,
        labels: ownership,
        annotations: { "pulumi.com/waitFor": "condition=DisruptionAllowed" },
      },
      spec: {
        minAvailable: pods - 1,
        selector: { matchLabels: { ...selector, [versionLabel]: version } },
        // Else a version that never gets ready would stop the maintenance of its nodes.
        unhealthyPodEvictionPolicy: "AlwaysAllow",
      },
    },
    opts,
  );
}
