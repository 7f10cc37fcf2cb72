import type * as pulumi from "@pulumi/pulumi";

import type { PlatformConfig } from "../../config";
import { servedOf } from "../../config/decisionChecks";
import { trainedBy } from "../../config/manifests";
import type { ModelConfig } from "../../config/models";
import type { AppImages } from "../images";
import { BatchScoring, type BatchSurroundings } from "./batchScoring";

/** Scores the tables that the configuration names, by those models whose version is known. */
export function createBatch(
  name: string,
  config: PlatformConfig,
  {
    models,
    appImages,
    ...surroundings
  }: BatchSurroundings & { readonly models: readonly ModelConfig[]; readonly appImages: AppImages },
  opts: pulumi.ComponentResourceOptions,
): void {
  for (const { name: table, model: wanted, ...job } of config.batch) {
    const model = models.find((one) => one.name === wanted);
    const manifest = trainedBy(model?.training?.image);
    const decided = model && config.decisions[servedOf(model) ?? ""];
    const image = manifest && appImages[manifest.training.image];
    if (manifest === undefined || decided === undefined || image === undefined) continue;
    new BatchScoring(
      `${name}-${table}`,
      {
        ...{ ...surroundings, ...job, name: table, model: wanted },
        package: manifest.folder,
        image: image.reference,
        after: image.built === undefined ? [] : [image.built],
        ...{ version: decided.version, files: decided.files, sha256: decided.sha256 },
      },
      opts,
    );
  }
}
