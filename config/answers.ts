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

/** Tells a pod what to do with that file; `ml-app/standardserver/startup.py` reads it. */
export const answersVariable = "MLPLATFORM_ANSWERS";

/** It must be there, and be answered the same; or it counts for nothing, though it may be there. */
export type AnswersUse = "ignored" | "required";

/** What of a version is known of that. */
interface Compared {
  readonly compared?: Comparison | undefined;
}

/** What a model's pods do with the file; undefined where a version has none. */
export function useOfAnswers(
  { server, parity }: ModelConfig,
  { compared }: Compared,
): AnswersUse | undefined {
  if (server === undefined || compared !== "example") return undefined;
  return parity === "on" ? "required" : "ignored";
}

/** Whether a version's answers are computed for a model, and its pods compared with them. */
export function computesAnswers(model: ModelConfig, version: Compared): boolean {
  return useOfAnswers(model, version) === "required";
}
