import type { Check } from "./problem";

/** Names that are not resolved and Services that lead nowhere, as a pod sees it: each pod may be well by itself. */
export const networkCheck: Check = {
  title: "names and Services",
  examine: async ({ network }) => {
    const findings = await network();
    return findings.map(({ reason, mend = "" }) => ({
      title: "the cluster's network",
      found: reason,
      means: "pods do not reach one another, though each may be well by itself",
      mend: { description: mend },
    }));
  },
};
