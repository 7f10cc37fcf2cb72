import { type Finding, type Severity, warning } from "../../finding";
import { Refused } from "../cluster/cluster";
import { messageOf } from "../errors";
import type { Progress } from "../progress";

/** Looks for one kind of thing that is wrong. */
export interface Check<Subject> {
  /** What it looks at, as a noun: shown while it does, and before "could not be checked". */
  readonly subject: string;
  /** What it wants to know, as a question: `whether …`. */
  readonly asks: string;
  readonly find: (subject: Subject) => Promise<readonly Finding[]>;
}

/** How checks are made. */
export interface Checking {
  /** Rejects when no answer is waited for any more. @default each is waited for */
  readonly late?: Promise<never>;
  /** What it counts for that something could not be looked at. @default warning */
  readonly unseen?: Severity;
}

/** What a check finds. That it could not look is a finding too, and says nothing of the other checks. */
export async function findingsOf<Subject>(
  check: Check<Subject>,
  subject: Subject,
  { late, unseen = "warning" }: Checking = {},
): Promise<readonly Finding[]> {
  try {
    const found = check.find(subject);
    return await (late === undefined ? found : Promise.race([found, late]));
  } catch (cause) {
    const mend =
      cause instanceof Refused && cause.status === 403
        ? "Ask for the right to look, or go on if it is known to be well"
        : "Go on if it is known to be well";
    const what = `${check.subject} could not be checked: ${messageOf(cause)}`;
    return [{ ...warning(what, mend), severity: unseen }];
  }
}

/** Tells of a warning: people on standard error, machines as they are told of every finding. */
export function warnOf(finding: Finding, progress: Progress): void {
  const { what, detail = "", mend } = finding;
  const seen = [what, detail].filter((text) => text !== "").join("; ");
  if (progress.mode === "json") progress.event(eventOf(finding));
  else progress.warn(mend === undefined ? seen : `${seen}. ${mend}`);
}

/** A finding for machines. */
export function eventOf({ repair, ...said }: Finding): object {
  return { event: "finding", ...said, automatic: repair !== undefined };
}
