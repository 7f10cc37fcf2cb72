import { UserError } from "../errors";
import type { Problem } from "../preflight/preflight";
import type { Progress } from "../progress";

/** Tells warnings, and ends with all that is certain to fail. @throws UserError something is. */
export function refuse(problems: readonly Problem[], progress: Progress): void {
  const errors = problems.filter(({ severity }) => severity !== "warning");
  for (const { what, mend } of problems.filter(({ severity }) => severity === "warning"))
    progress.warn(`${what}. ${mend}`);
  if (errors.length === 0) return;
  const lines = errors.map(({ what, mend }) => `  ${what}.\n    ${mend}.`);
  const count = errors.length === 1 ? "1 problem" : `${errors.length} problems`;
  throw new UserError(`${count}, and nothing was changed:\n${lines.join("\n")}`);
}
