import type { ServedModel, ServedPredictor } from "./cluster/servedModels";
import type { Exchange } from "./exchange";
import { inferPath, openInferenceClient } from "./openInference";
import { type Answer, type Rows, predictionsPath, seldonClient } from "./seldon";

/** How a model is asked, whatever protocol it speaks. */
export interface ModelClient {
  /**
   * Asks for predictions. The answer is in Seldon's form, whatever the protocol.
   *
   * @throws UserError the model refuses the rows, with its reason, or does not speak its protocol.
   */
  ask(rows: Rows): Promise<Answer>;
}

/** The client that speaks a model's protocol, over whatever leads to its predictor. */
export function clientOf(
  { protocol }: Pick<ServedModel, "protocol">,
  { unit, chained }: Pick<ServedPredictor, "unit" | "chained">,
  exchange: Exchange,
): ModelClient {
  return protocol === "v2"
    ? openInferenceClient(exchange, unit, chained)
    : seldonClient((body) => exchange(predictionsPath, body));
}

/** Where the model's server takes what {@link clientOf} asks. */
export function askedPath(
  { protocol }: Pick<ServedModel, "protocol">,
  { unit, chained }: Pick<ServedPredictor, "unit" | "chained">,
): string {
  return protocol === "v2" ? inferPath(unit, chained) : predictionsPath;
}
