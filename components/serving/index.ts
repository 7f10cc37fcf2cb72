import type * as pulumi from "@pulumi/pulumi";

import type { PlatformConfig } from "../../config";
import { monitorLabels } from "../monitoring";
import type { ObjectStore } from "../objectStore/objectStore";
import { ModelNamespace } from "./modelNamespace";
import { ServingOperator } from "./servingOperator";

/** The operator that the configuration asks for. */
export function createOperator(
  name: string,
  { serving, mirror, environment }: PlatformConfig,
  namespace: pulumi.Output<string>,
  opts: pulumi.ComponentResourceOptions,
): ServingOperator {
  return new ServingOperator(
    name,
    {
      namespace,
      mirror,
      version: serving.version,
      licenceAcknowledged: serving.licenceAcknowledged,
      certificate: serving.certificate,
      certificateSerial: serving.certificateSerial,
      istioGateway: serving.istio?.gateway,
      values: serving.values,
      keepDefinitions: environment !== "dev",
    },
    opts,
  );
}

/** The namespace of models, with the store's keys and the bounds that the configuration sets. */
export function createModelNamespace(
  name: string,
  config: PlatformConfig,
  namespace: pulumi.Output<string>,
  objectStore: ObjectStore,
  opts: pulumi.ComponentResourceOptions,
): ModelNamespace {
  const { modelQuota: quota } = config;
  return new ModelNamespace(
    name,
    { namespace, objectStore, quota, monitorLabels: monitorLabels(config) },
    opts,
  );
}
