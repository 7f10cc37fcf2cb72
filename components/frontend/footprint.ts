import type { Footprint } from "../footprint";

/** Where a front end goes: it asks models and the registry. */
export const frontend = {
  namespaces: { frontend: { name: "fe", level: "restricted", uses: ["models", "tracking"] } },
  titles: {},
} as const satisfies Footprint;
