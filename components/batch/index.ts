import type * as pulumi from "@pulumi/pulumi";

import type { PlatformConfig } from "../../config";
import { useOfAnswers } from "../../config/answers";
import { type Served, servedOf } from "../../config/decisionChecks";
import { trainedBy } from "../../config/manifests";
import { mlflowImage, scoringEnvironment } from "../../config/mlflowServer";
import type { ModelConfig } from "../../config/models";
import type { AppImages } from "../images";
import { present } from "../present";
import { BatchScoring, type BatchScoringArgs, type BatchSurroundings } from "./batchScoring";
import { type ScoringCode, createScoringCode } from "./scoringCode";

/** What a model is scored by. */
type Means = Pick<BatchScoringArgs, "after" | "answers" | "code" | "image" | "package">;

/** What scores tables in a stack, and by which models. */
export interface BatchParts extends BatchSurroundings {
  readonly models: readonly ModelConfig[];
  readonly appImages: AppImages;
  /** What has had the versions of a model answer by their own libraries, by its name and the folders of their files. */
  readonly answered: ReadonlyMap<string, ReadonlyMap<string, pulumi.Resource>>;
}

/** Scores the tables that the configuration names, by those models whose version is known. */
export function createBatch(
  name: string,
  config: PlatformConfig,
  { models, appImages, answered, ...surroundings }: BatchParts,
  opts: pulumi.CustomResourceOptions,
): void {
  let made: ScoringCode | undefined;
  const code = () => (made ??= createScoringCode(`${name}-code`, surroundings.namespace.namespace, opts));
  for (const { name: table, model: wanted, ...job } of config.batch) {
    const model = models.find((one) => one.name === wanted);
    const decided = model && config.decisions[servedOf(model) ?? ""];
    const means = model && decided && meansOf(model, decided, { appImages, answered }, code);
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
  { appImages, answered }: Pick<BatchParts, "answered" | "appImages">,
  code: () => ScoringCode,
): Means | undefined {
  const manifest = trainedBy(model.training?.image);
  const packages = scoringEnvironment(decided.environment);
  const image = appImages[manifest?.training.image ?? (packages && mlflowImage(packages)) ?? ""];
  if (image === undefined) return undefined;
  const after = present(image.built);
  if (manifest !== undefined) return { image: image.reference, after, package: manifest.folder };
  const files = code();
  const use = useOfAnswers(model, decided);
  // Of a version that is not served nobody computes any: it is compared with what is there from before, if it is.
  const job = use === "required" ? answered.get(model.name)?.get(decided.files) : undefined;
  const answers = use === "required" && job === undefined ? undefined : use;
  const before = [...after, files.configMap, ...present(job)];
  return { image: image.reference, after: before, code: files, answers };
}
