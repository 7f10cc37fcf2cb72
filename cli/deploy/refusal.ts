import type { Finding } from "../../finding";
import { eventOf, warnOf } from "../checks/check";
import { UserError } from "../errors";
import type { Progress } from "../progress";

/** Tells warnings, and ends with all that is certain to fail. @throws UserError something is. */
export function refuse(findings: readonly Finding[], progress: Progress): void {
  const errors = findings.filter(({ severity }) => severity === "error");
  for (const finding of findings) if (finding.severity === "warning") warnOf(finding, progress);
  if (errors.length === 0) return;
  for (const finding of errors) progress.event(eventOf(finding));
  const lines = errors.map(({ what, mend = "" }) => `  ${what}.\n    ${mend}.`);
  const count = errors.length === 1 ? "1 problem" : `${errors.length} problems`;
  throw new UserError(`${count}, and nothing was changed:\n${lines.join("\n")}`);
}
