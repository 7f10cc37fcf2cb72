import type { Footprint } from "../footprint";

export const training = {
  titles: { "mlplatform:training:TrainingJob": ({ model }) => `training ${String(model)}` },
} as const satisfies Footprint;
