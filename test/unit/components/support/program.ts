import { type EvaluateOptions } from "../../../../cli/plan/evaluate";
import program from "../../../../index";
import { create, type Created } from "./created";

/** A model that is trained and served by the project's own images. */
export const housePrice = {
  name: "house-price",
  image: "house-price-serve",
  training: { image: "house-price-train" },
};

/** Runs the whole program for an environment, with one trained model, and configuration beyond that. */
export function platform(
  config: Record<string, unknown> = {},
  options: Partial<EvaluateOptions> = {},
): Promise<Created> {
  const all = { environment: "dev", context: "a-context", models: [housePrice], ...config };
  const written = Object.entries(all).map(([key, value]) => [
    `mlplatform:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return create(() => program("assume"), Object.fromEntries(written) as Record<string, string>, options);
}
