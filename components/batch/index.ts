import type * as pulumi from "@pulumi/pulumi";

import type { PlatformConfig } from "../../config";
import { useOfAnswers } from "../../config/answers";
import { type Served, servedOf } from "../../config/decisionChecks";
import { trainedBy } from "../../config/manifests";
import { mlflowImage, scoringEnvironment } from "../../config/mlflowServer";
import type { ModelConfig } from "../../config/models";
import type { AppImages } from "../images";
import { BatchScoring, type BatchScoringArgs, type BatchSurroundings } from "./batchScoring";
import { type ScoringCode, createScoringCode } from "./scoringCode";

/** What a model is scored by. */
type Means = Pick<BatchScoringArgs, "after" | "answers" | "code" | "image" | "package">;

/** Scores the tables that the configuration names, by those models whose version is known. */
export function createBatch(
  name: string,
  config: PlatformConfig,
  {
    models,
    appImages,
    ...surroundings
  }: BatchSurroundings & { readonly models: readonly ModelConfig[]; readonly appImages: AppImages },
  opts: pulumi.CustomResourceOptions,
): void {
  let made: ScoringCode | undefined;
  const code = () => (made ??= createScoringCode(`${name}-code`, surroundings.namespace.namespace, opts));
  for (const { name: table, model: wanted, ...job } of config.batch) {
    const model = models.find((one) => one.name === wanted);
    const decided = model && config.decisions[servedOf(model) ?? ""];
    const means = model && decided && meansOf(model, decided, appImages, code);
    if (means === undefined) continue;
    new BatchScoring(
      `${name}-${table}`,
      {
        ...{ ...surroundings, ...job, ...means, name: table, model: wanted },
        ...{ version: decided?.version, files: decided?.files ?? "", sha256: decided?.sha256 },
      },
      opts,
    );
  }
}

/** The image of its training; of a model that others have logged one of its packages, and the code beside it. */
function meansOf(
  model: ModelConfig,
  decided: Served,
  appImages: AppImages,
  code: () => ScoringCode,
): Means | undefined {
  const manifest = trainedBy(model.training?.image);
  const packages = scoringEnvironment(decided.environment);
  const image = appImages[manifest?.training.image ?? (packages && mlflowImage(packages)) ?? ""];
  if (image === undefined) return undefined;
  const after = image.built === undefined ? [] : [image.built];
  if (manifest !== undefined) return { image: image.reference, after, package: manifest.folder };
  const files = code();
  const answers = useOfAnswers(model, decided);
  return { image: image.reference, after: [...after, files.configMap], code: files, answers };
}
