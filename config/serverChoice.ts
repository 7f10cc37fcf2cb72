/** Which server a model gets where its stack names none. */
import { wishesOf } from "./decisionChecks";
import { withParts } from "./graph";
import type { Decisions } from "./lock";
import { hasOwnServer, trainedBy } from "./manifests";
import type { ModelConfig } from "./models";
import { serverFor } from "./mlflowServer";
import type { PrepackagedServer } from "./servers";

/** A model with what its manifest says that serves it, if one of the project's trainings makes it. */
export function withOwnServer(model: ModelConfig): ModelConfig {
  if (model.graph !== undefined) return model;
  const trained = trainedBy(model.training?.image);
  if (isNamed(model) || trained === undefined) return model;
  return hasOwnServer(trained)
    ? { ...model, image: trained.serving.image }
    : { ...model, server: trained.serving.server };
}

/**
 * A model with the server that loads what was decided on: a prepackaged one that reads exactly these versions, else the
 * one whose image is made for each.
 *
 * @param otherwise taken where nothing is decided. @default none
 */
export function withServer(
  model: ModelConfig,
  decisions: Decisions,
  otherwise?: PrepackagedServer,
): ModelConfig {
  if (model.graph !== undefined) return withParts(model, (part) => withServer(part, decisions, otherwise));
  if (isNamed(model)) return model;
  const wishes = wishesOf(model);
  const decided = wishes.flatMap((wish) => decisions[wish] ?? []);
  if (wishes.length === 0) return model;
  if (decided.length > 0) return { ...model, server: serverFor(decided) };
  return otherwise === undefined ? model : { ...model, server: otherwise };
}

function isNamed({ server, image }: ModelConfig): boolean {
  return server !== undefined || image !== undefined;
}
