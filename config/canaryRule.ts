import * as z from "zod";

import type { Mistake } from "./mistakes";
import type { ModelConfig } from "./models";

/** By what a trial goes on, or back. */
export const canaryRule = z
  .strictObject({
    steps: z
      .array(z.int().min(1).max(99))
      .default([])
      .describe("shares in percent that follow the one of the command; then it is promoted"),
    minutes: z.number().min(0.1).max(1440).default(5).describe("minutes for which each share is watched"),
    requests: z
      .int()
      .min(1)
      .default(100)
      .describe("fewest requests to it by which it is judged; after ten times the minutes it goes back"),
    errors: z
      .number()
      .min(0)
      .max(100)
      .default(1)
      .describe("percentage points by which more of its requests may fail than of what serves"),
    latency: z
      .number()
      .min(1)
      .default(2)
      .describe("how many times as long the slowest 5 % of its answers may take"),
    difference: z
      .number()
      .min(0)
      .optional()
      .describe(
        "how far its answers to rows of its training may differ on average, relative to what serves: `0.1`",
      ),
  })
  .prefault({})
  .describe("by which rule `npm run promote -- NAME --canary 10` goes on, or back");

/** Each share is larger than the one before, or it would be no step. */
export function checkSteps({ canary: { steps } }: ModelConfig): Mistake[] {
  return steps.flatMap((step, index) => {
    const before = steps[index - 1] ?? 0;
    return step > before
      ? []
      : [
          {
            path: ["canary", "steps", index],
            message: `is ${step}, not above ${before}, the share before it`,
          },
        ];
  });
}
