import type { Footprint } from "../footprint";

export const namespaces = {
  titles: { "mlplatform:namespaces:PlatformNamespaces": () => "namespaces" },
} as const satisfies Footprint;
