import type { PolicyResource } from "../../../policy/rules";

/** A stack, and all that one rule has to say about it. */
export interface Case {
  readonly rule: string;
  /** What is wrong or right about it. */
  readonly name: string;
  readonly resources: readonly PolicyResource[];
  /** @default "dev" */
  readonly environment?: string;
  /** Every message of the rule, in order; none where the stack is as it should be. */
  readonly messages: readonly string[];
}

/** The cases of one rule: what it finds, and what it lets pass. */
export function casesOf(
  rule: string,
  bad: readonly Omit<Case, "rule">[],
  good: readonly Omit<Case, "rule" | "messages">[],
): readonly Case[] {
  return [
    ...bad.map((violation) => ({ rule, ...violation })),
    ...good.map((passing) => ({ rule, messages: [], ...passing })),
  ];
}
