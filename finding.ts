/** `error`: it is wrong, or certain to go wrong. `warning`: it may go wrong, or could not be found out. */
export type Severity = "error" | "warning";

/** Something that is wrong, or may become so. Every check says in this form what it finds, whoever runs it. */
export interface Finding {
  readonly severity: Severity;
  /** What is wrong, and where, without a full stop. */
  readonly what: string;
  /** What was seen, where that is more than a line can say. */
  readonly detail?: string;
  /** What comes of it. */
  readonly means?: string;
  /** How to mend it: a sentence or a command. */
  readonly mend?: string;
  /** Does that in the user's place. @throws Error it cannot be done. */
  readonly repair?: () => Promise<void>;
  /** The objects that it is about, as `inWords` of `cli/cluster/kinds.ts` names them. */
  readonly about?: readonly string[];
}

/** What is wrong, or certain to fail. */
export function error(what: string, mend: string): Finding {
  return { severity: "error", what, mend };
}

/** What may fail, or cannot be known from here. */
export function warning(what: string, mend: string): Finding {
  return { severity: "warning", what, mend };
}

/** What is wrong before what may be; else in the order in which it was found. */
export function errorsFirst<F extends Finding>(findings: readonly F[]): F[] {
  const of = (severity: Severity) => findings.filter((finding) => finding.severity === severity);
  return [...of("error"), ...of("warning")];
}
