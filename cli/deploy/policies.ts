/** What the policies find, on its way to a deployment. */
import { rules } from "../../policy/rules";
import { knownInstead } from "../../config/words";
import type { Finding } from "../../finding";
import { UserError } from "../errors";
import type { Plan } from "../plan/plan";
import { violationsInWords } from "../plan/violations";

/** Why `--allow` is refused on this machine. */
export const allowIsForClusters =
  "--allow lets a rule be broken for what is made in a cluster, and here is none: leave it out.";

/**
 * What the policies find in what a stack would become, in the words of the preview. What violates a rule that is allowed
 * is a warning, which says so.
 *
 * @param allowed names of rules.
 * @throws UserError there is no such rule.
 */
export function policyFindings(plan: Plan, allowed: readonly string[]): Finding[] {
  const known = rules.map(({ name }) => name);
  for (const name of allowed)
    if (!known.includes(name))
      throw new UserError(`--allow: there is no rule ${name}; ${knownInstead(name, known)}`);
  return violationsInWords(plan).map((violation) => {
    const { severity, rule } = violation;
    if (severity === "warning") return violation;
    if (allowed.includes(rule))
      return { ...violation, severity: "warning", detail: `allowed by --allow ${rule}` };
    return { ...violation, mend: `Mend it, or let the rule be broken: --allow ${rule}` };
  });
}
