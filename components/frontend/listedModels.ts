/** What the page is told of the models: `ml-app/frontend/listed.py` says what stands in the file. */
import { solePredictor } from "../serving/splitter/splits";
import type { PlatformConfig } from "../../config";
import { servedOf } from "../../config/decisionChecks";
import { describingPart, partOf, protocolOf } from "../../config/graph";
import { trainedBy } from "../../config/manifests";
import type { ModelConfig } from "../../config/models";
import { namespaceNames } from "../capabilities";

/** The score that every training of the platform writes down. */
const testScore = "test_score";

/** A model as the page has it. */
interface ListedModel {
  readonly name: string;
  readonly protocol: string;
  readonly address: string;
  readonly unit: string;
  readonly chained?: boolean;
  readonly version?: string;
  readonly score?: { readonly name: string; readonly value: number };
}

/** The predictors that answer people, of these models. One that gets a copy of the requests alone is none. */
export function listedModels(
  models: readonly ModelConfig[],
  { decisions }: Pick<PlatformConfig, "decisions">,
): ListedModel[] {
  return models.flatMap((model) => {
    const predictors = (model.predictors ?? [{ name: solePredictor(model) }]).filter(
      (one) => !("shadow" in one && one.shadow),
    );
    return predictors.map((predictor): ListedModel => {
      const wish = ("model" in predictor ? predictor.model : undefined) ?? servedOf(model) ?? "";
      const { version, metrics } = decisions[wish] ?? {};
      const value = metrics?.[testScore];
      const name = trainedBy(model.training?.image)?.training.score ?? "score";
      return {
        name: predictors.length === 1 ? model.name : `${model.name} (${predictor.name})`,
        protocol: protocolOf(model),
        address: `http://${model.name}-${predictor.name}.${namespaceNames.models}.svc.cluster.local:8000`,
        ...(model.graph === undefined
          ? { unit: model.name }
          : { unit: describingPart(partOf(model)).model.name, chained: true }),
        ...(version === undefined ? {} : { version: String(version) }),
        ...(value === undefined ? {} : { score: { name, value } }),
      };
    });
  });
}
