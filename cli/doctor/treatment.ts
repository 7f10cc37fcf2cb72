import colors from "picocolors";

import { agreed, isInteractive } from "../ask";
import { messageOf } from "../errors";
import type { Progress } from "../progress";
import type { Problem } from "./problem";

/** Whether the user is asked. */
export interface TreatmentOptions {
  /** Agrees to everything. @default each is asked for at the terminal; without one, nothing is mended */
  readonly yes?: boolean;
  /** Machines are not asked. */
  readonly json?: boolean;
}

/** What the status says beside the problems. */
export interface Marks {
  /** Warnings, which are no problems. */
  readonly warnings: readonly string[];
  /** What is marked after all was mended. */
  readonly left: () => Promise<readonly string[]>;
}

/** What became of a problem. */
type Outcome = "mended" | "left" | "failed";

/**
 * Shows each problem, and mends what may be mended.
 *
 * @returns the exit code: 0 nothing is left, 1 something is.
 */
export async function treat(
  problems: readonly Problem[],
  options: TreatmentOptions,
  progress: Progress,
  { warnings, left }: Marks,
): Promise<number> {
  for (const warning of warnings) progress.warn(warning);
  const outcomes: Outcome[] = [];
  for (const problem of problems) {
    const { title, found, means, mend } = problem;
    progress.say(
      `\n${colors.red("✗")} ${colors.bold(title)}\n  found  ${indented(found)}\n  means  ${means}\n  mend   ${mend.description}` +
        (mend.command === undefined ? "" : `\n         ${mend.command}`),
    );
    const outcome = await mendOne(problem, options, progress);
    outcomes.push(outcome);
    const { apply, ...told } = mend;
    progress.event({
      event: "problem",
      ...{ title, found, means },
      mend: { ...told, automatic: apply !== undefined },
      outcome,
    });
  }
  const mended = outcomes.filter((outcome) => outcome === "mended").length;
  // What one mend was to bring back may need more than that.
  const marked = mended > 0 && mended === problems.length ? await left() : [];
  progress.event({ event: "doctor", found: problems.length, mended, marked });
  progress.say(`\n${summary(problems, mended, marked, warnings)}`);
  return mended === problems.length && marked.length === 0 ? 0 : 1;
}

async function mendOne(
  { mend: { apply, description } }: Problem,
  { json, yes }: TreatmentOptions,
  progress: Progress,
): Promise<Outcome> {
  if (apply === undefined) return "left";
  if (!yes && (json || !isInteractive() || !(await agreed(`  Do that: ${description}?`)))) return "left";
  try {
    await apply();
    progress.say(`  ${colors.green("✓")} done`);
    return "mended";
  } catch (error) {
    progress.say(`  ${colors.red("✗")} ${messageOf(error)}`);
    return "failed";
  }
}

function summary(
  problems: readonly Problem[],
  mended: number,
  marked: readonly string[],
  warnings: readonly string[],
): string {
  if (problems.length === 0)
    return warnings.length === 0 ? "Nothing is wrong." : "Nothing else is wrong, as far as can be seen.";
  const left = problems.length - mended;
  if (left === 0 && marked.length > 0)
    return `${mended} mended, and not all is well yet: ${marked.join("; ")}. Now: npm run up`;
  if (left === 0) return "All mended. Now: npm run up";
  const could = problems.some(({ mend }) => mend.apply !== undefined) && mended === 0;
  return `${left} of ${problems.length} are left.${could ? " To mend what can be mended: npm run doctor -- --yes" : ""}`;
}

function indented(text: string): string {
  return text.replaceAll("\n", "\n         ");
}
