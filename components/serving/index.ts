import type * as pulumi from "@pulumi/pulumi";

import type { PlatformConfig } from "../../config";
import { partsOf } from "../../config/graph";
import { imageReference, images } from "../../pins";
import { monitorLabels } from "../monitoring";
import type { ObjectStore } from "../objectStore/objectStore";
import { ModelNamespace } from "./modelNamespace";
import type { ModelServer } from "./modelServer";
import { SeldonCore } from "./seldon";
import { ServingOperator } from "./seldon/servingOperator";

/** What serves models, as the configuration asks for it. @param namespace where it runs itself. @param models where models run. */
export function createModelServer(
  name: string,
  { serving, mirror, environment }: PlatformConfig,
  { namespace, models }: { readonly namespace: pulumi.Output<string>; readonly models: ModelNamespace },
  opts: pulumi.ComponentResourceOptions,
): ModelServer {
  const operator = new ServingOperator(
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
  const splitterImage = serving.istio === undefined ? imageReference(images.envoy, mirror) : undefined;
  return new SeldonCore(operator, models, splitterImage);
}

/** The namespace of models, with the store's keys and the bounds that the configuration sets. */
export function createModelNamespace(
  name: string,
  config: PlatformConfig,
  namespace: pulumi.Output<string>,
  objectStore: ObjectStore,
  opts: pulumi.ComponentResourceOptions,
): ModelNamespace {
  const { modelQuota: quota, batch, models } = config;
  return new ModelNamespace(
    name,
    {
      ...{ namespace, objectStore, quota },
      scoring: batch.length > 0,
      standardServer: models.flatMap(partsOf).some(({ model }) => model.server !== undefined),
      monitorLabels: monitorLabels(config),
    },
    opts,
  );
}
