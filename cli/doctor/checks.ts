import type { Check } from "./problem";
import { networkCheck } from "./networkCheck";
import { releaseCheck } from "./releaseChecks";
import { certificateCheck, definitionCheck, webhookCheck } from "./servingChecks";
import { stackCheck } from "./stackChecks";
import { workloadCheck } from "./workloadChecks";

/** All checks, in the order in which what they find is best mended. */
export const checks: readonly Check[] = [
  stackCheck,
  networkCheck,
  releaseCheck,
  webhookCheck,
  definitionCheck,
  certificateCheck,
  workloadCheck,
];
