/** A version that is tried on a share of the requests: `promote --canary` writes it into the lock. */
import { mainPredictor } from "../components/serving/splitter/splits";
import { servedOf } from "./decisionChecks";
import type { Decisions } from "./lock";
import type { ModelConfig } from "./models";
import { registryName, registryScheme } from "./registryNames";

/** The predictor that a version is tried as. */
export const canaryPredictor = "canary";

/** The name in the registry of a version that is tried. */
export function triedAs(registered: string, version: number): string {
  return `${registryScheme}${registered}/${version}`;
}

/** A model with the version that is tried beside its own; one with predictors of its own as it is. */
export function withCanary(model: ModelConfig, decisions: Decisions): ModelConfig {
  const wish = servedOf(model) ?? "";
  const trial = decisions[wish]?.canary;
  const registered = registryName(wish)?.model;
  if (trial === undefined || registered === undefined || model.predictors !== undefined) return model;
  const { version, percent } = trial;
  return {
    ...model,
    predictors: [
      { name: mainPredictor, traffic: 100 - percent, shadow: false },
      { name: canaryPredictor, traffic: percent, shadow: false, model: triedAs(registered, version) },
    ],
  };
}

/** Names for which the lock must have a decision, as versions are tried by them. */
export function triedIn(decisions: Decisions): string[] {
  return Object.entries(decisions).flatMap(([wish, { canary }]) => {
    const registered = registryName(wish)?.model;
    return canary === undefined || registered === undefined ? [] : [triedAs(registered, canary.version)];
  });
}
