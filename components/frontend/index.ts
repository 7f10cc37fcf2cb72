import type * as pulumi from "@pulumi/pulumi";

import type { PlatformConfig } from "../../config";
import type { ModelConfig } from "../../config/models";
import type { AppImages } from "../images";
import { frontendImage } from "../images/dockerfile";
import { present } from "../present";
import { Frontend } from "./frontend";
import { listedModels } from "./listedModels";

/** The page on which people ask these models; none where the configuration wants none. */
export function createFrontend(
  name: string,
  config: PlatformConfig,
  {
    namespace,
    appImages,
    models,
  }: {
    readonly namespace: pulumi.Output<string>;
    readonly appImages: AppImages;
    readonly models: readonly ModelConfig[];
  },
  opts: pulumi.ComponentResourceOptions,
): void {
  const { enabled, hosts, resources } = config.frontend;
  const image = appImages[frontendImage];
  if (!enabled || image === undefined) return;
  const after = present(image.built);
  const listed = listedModels(models, config);
  new Frontend(name, { namespace, image: image.reference, after, models: listed, hosts, resources }, opts);
}
