import type { Footprint } from "../footprint";
import { jobRoles } from "../roles";

/** Marks Jobs and pods that score tables. */
export const batchRole = jobRoles.batch;

export const batch = {
  titles: { "mlplatform:batch:BatchScoring": ({ table }) => `scores ${String(table)}` },
} as const satisfies Footprint;
