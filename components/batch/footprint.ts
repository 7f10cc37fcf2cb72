import type { Footprint } from "../footprint";

/** Marks Jobs and pods that score tables. */
export const batchRole = "batch";

export const batch = {
  titles: { "mlplatform:batch:BatchScoring": ({ table }) => `scores ${String(table)}` },
} as const satisfies Footprint;
