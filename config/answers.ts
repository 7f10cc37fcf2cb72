/**
 * What a standard server's answers are compared with before it is in service: a library may load a file without a word, and
 * answer otherwise.
 */
import type { ModelConfig } from "./models";

/**
 * With the rows that a training of the platform recorded; with what the model's own libraries answer to the example of its
 * input, which the platform computes once; or with nothing, as it was logged without an example.
 */
export const comparisons = ["training", "example", "nothing"] as const;
export type Comparison = (typeof comparisons)[number];

/** What the platform puts beside a version's files itself, and so is not among those that were decided on. */
export const answersFile = "mlplatform-answers.json";

/** Tells a pod that this must be there; `ml-app/standardserver/startup.py` reads it. */
export const answersVariable = { name: "MLPLATFORM_ANSWERS", value: "required" } as const;

/** What of a version is known of that. */
interface Compared {
  readonly compared?: Comparison | undefined;
}

/** Whether a version's answers are computed for a model, and its pods compared with them. */
export function computesAnswers({ server, parity }: ModelConfig, { compared }: Compared): boolean {
  return server !== undefined && parity === "on" && compared === "example";
}
