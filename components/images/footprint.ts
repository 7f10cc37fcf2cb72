import type { Footprint } from "../footprint";

export const images = {
  titles: { "mlplatform:images:AppImage": ({ image }) => `image ${String(image)}` },
} as const satisfies Footprint;
