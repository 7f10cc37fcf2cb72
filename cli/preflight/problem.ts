/** Something that would go wrong, found before it does. */
export interface Problem {
  /** An error is certain to end in a failure; a warning may. */
  readonly severity: "error" | "warning";
  /** What is wrong and where, without a full stop. */
  readonly what: string;
  /** How to mend it, without a full stop. */
  readonly mend: string;
}

/** What is certain to fail. */
export function error(what: string, mend: string): Problem {
  return { severity: "error", what, mend };
}

/** What may fail, or cannot be known from here. */
export function warning(what: string, mend: string): Problem {
  return { severity: "warning", what, mend };
}

/** Names in a sentence: `a, b and c`. */
export function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}
