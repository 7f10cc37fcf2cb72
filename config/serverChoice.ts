/** Which server a model gets where its stack names none. */
import { wishesOf } from "./decisionChecks";
import type { Decisions } from "./lock";
import { hasOwnServer, trainedBy } from "./manifests";
import type { ModelConfig } from "./models";
import { type PrepackagedServer, serverFor } from "./servers";

/** A model with what its manifest says that serves it, if one of the project's trainings makes it. */
export function withOwnServer(model: ModelConfig): ModelConfig {
  const trained = trainedBy(model.training?.image);
  if (isNamed(model) || trained === undefined) return model;
  return hasOwnServer(trained)
    ? { ...model, image: trained.serving.image }
    : { ...model, server: trained.serving.server };
}

/**
 * A model with the server that loads what was decided on. Where no server loads all of it, one that loads the first
 * version: why it cannot load the others is then told as of any.
 *
 * @param otherwise taken where nothing is decided. @default none
 */
export function withServer(
  model: ModelConfig,
  decisions: Decisions,
  otherwise?: PrepackagedServer,
): ModelConfig {
  if (isNamed(model)) return model;
  const wishes = wishesOf(model);
  const forms = wishes.flatMap((wish) => decisions[wish]?.form ?? []);
  if (wishes.length === 0) return model;
  if (forms.length === 0) return otherwise === undefined ? model : { ...model, server: otherwise };
  const server = serverFor(forms) ?? serverFor(forms.slice(0, 1));
  return server === undefined ? model : { ...model, server };
}

function isNamed({ server, image }: ModelConfig): boolean {
  return server !== undefined || image !== undefined;
}
