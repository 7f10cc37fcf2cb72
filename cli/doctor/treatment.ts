import colors from "picocolors";

import type { Finding } from "../../finding";
import { agreed, isInteractive } from "../ask";
import { eventOf, warnOf } from "../checks/check";
import { messageOf } from "../errors";
import type { Progress } from "../progress";

/** Whether the user is asked. */
export interface TreatmentOptions {
  /** Agrees to everything. @default each is asked for at the terminal; without one, nothing is mended */
  readonly yes?: boolean;
  /** Machines are not asked. */
  readonly json?: boolean;
}

/** What became of a finding. */
type Outcome = "mended" | "left" | "failed";

/**
 * Tells warnings, shows what is wrong, and mends what may be mended.
 *
 * @param marked what is wrong after all was mended.
 * @returns the exit code: 0 nothing is left, 1 something is.
 */
export async function treat(
  findings: readonly Finding[],
  options: TreatmentOptions,
  progress: Progress,
  marked: () => Promise<readonly Finding[]>,
): Promise<number> {
  const warnings = findings.filter(({ severity }) => severity === "warning");
  const errors = findings.filter(({ severity }) => severity === "error");
  for (const finding of warnings) warnOf(finding, progress);
  const outcomes: Outcome[] = [];
  for (const finding of errors) {
    const { what, detail, means, mend } = finding;
    const told = Object.entries({ found: detail, means, mend });
    const lines = told.map(([word, text]) =>
      text === undefined ? "" : `\n  ${word.padEnd(5)}  ${indented(text)}`,
    );
    progress.say(`\n${colors.red("✗")} ${colors.bold(what)}${lines.join("")}`);
    const outcome = await mendOne(finding, options, progress);
    outcomes.push(outcome);
    progress.event({ ...eventOf(finding), outcome });
  }
  const mended = outcomes.filter((outcome) => outcome === "mended").length;
  const all = mended === errors.length;
  // What one mend was to bring back may need more than that.
  const left = all && mended > 0 ? (await marked()).map(({ what }) => what) : [];
  progress.event({ event: "doctor", found: errors.length, mended, marked: left });
  progress.say(`\n${summary(errors, mended, left, warnings.length)}`);
  return all && left.length === 0 ? 0 : 1;
}

async function mendOne(
  { mend = "", repair }: Finding,
  { json, yes }: TreatmentOptions,
  progress: Progress,
): Promise<Outcome> {
  if (repair === undefined) return "left";
  if (!yes && (json || !isInteractive() || !(await agreed(`  Do that: ${mend}?`)))) return "left";
  try {
    await repair();
    progress.say(`  ${colors.green("✓")} done`);
    return "mended";
  } catch (error) {
    progress.say(`  ${colors.red("✗")} ${messageOf(error)}`);
    return "failed";
  }
}

function summary(
  errors: readonly Finding[],
  mended: number,
  marked: readonly string[],
  warnings: number,
): string {
  if (errors.length === 0)
    return warnings === 0 ? "Nothing is wrong." : "Nothing else is wrong, as far as can be seen.";
  const left = errors.length - mended;
  if (left === 0 && marked.length > 0)
    return `${mended} mended, and not all is well yet: ${marked.join("; ")}. Now: npm run up`;
  if (left === 0) return "All mended. Now: npm run up";
  const could = errors.some(({ repair }) => repair !== undefined) && mended === 0;
  return `${left} of ${errors.length} are left.${could ? " To mend what can be mended: npm run doctor -- --yes" : ""}`;
}

function indented(text: string): string {
  return text.replaceAll("\n", "\n         ");
}
