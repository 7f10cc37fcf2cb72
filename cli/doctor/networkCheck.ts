import type { Check } from "../checks/check";
import type { Patient } from "./patient";

export const networkCheck: Check<Patient> = {
  subject: "names and Services",
  asks: "whether a pod resolves the cluster's names and reaches its Services: each pod may be well by itself",
  find: async ({ network }) =>
    (await network()).map(({ severity, what, mend = "" }) => ({
      severity,
      what: "the cluster's network",
      detail: what,
      means: "pods do not reach one another, though each may be well by itself",
      mend,
    })),
};
