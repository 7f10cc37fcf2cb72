import type { Violation } from "../../policy/rules";
import { Names } from "./names";
import type { Plan } from "./plan";

/** What the policies find, as whoever tells of it says it: the rule, the resource by its short name, what is wrong. */
export function violationsInWords({
  findings,
  recording,
}: Pick<Plan, "findings" | "recording">): Violation[] {
  if (findings.length === 0) return [];
  const names = new Names(recording);
  return findings.map((found) => ({
    ...found,
    what: `${found.rule}, ${names.short(found.resource)}: ${found.what}`,
  }));
}
