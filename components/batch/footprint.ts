import type { Footprint } from "../footprint";

export const batch = {
  titles: { "mlplatform:batch:BatchScoring": ({ table }) => `scores ${String(table)}` },
} as const satisfies Footprint;
