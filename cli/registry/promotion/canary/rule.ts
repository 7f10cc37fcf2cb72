/** Whether a version that is tried goes on, or back: decided by what was counted, without asking anybody. */
import type { ModelConfig } from "../../../../config/models";
import { type Counts, failedPercent, shareSlowerThan, slowShare, slowest } from "./counts";

export type Rule = ModelConfig["canary"];

/** What was seen of a trial. */
export interface Seen {
  /** Of the predictor that serves. */
  readonly main: Counts;
  /** Of the version that is tried. */
  readonly canary: Counts;
  /**
   * How far the answers to the same rows differ on average, relative to those of what serves; undefined where nobody
   * could be asked.
   */
  readonly difference: number | undefined;
}

/** The verdict: `few` is too little to judge by. */
export interface Verdict {
  readonly state: "bad" | "few" | "well";
  /** What speaks against it; none unless it is bad. */
  readonly reasons: readonly string[];
}

/** Standard errors that a difference must be beyond, so that it is not chance: of one look at the end, and of many. */
const beyondChance = { end: 2, early: 4 };
/** How many times beyond the rule an early verdict must be. */
const clearly = 2;

/**
 * Judges by the rule of the stack's file.
 *
 * @param end whether the time is over. Before it only what is bad beyond doubt is: many looks would find something.
 */
export function judge(rule: Rule, { main, canary, difference }: Seen, end: boolean): Verdict {
  if (canary.requests < rule.requests) return { state: "few", reasons: [] };
  const [failed, failedMain] = [failedPercent(canary), failedPercent(main)];
  const [slow, slowMain] = [slowest(canary), slowest(main)];
  const beyond = beyondChance[end ? "end" : "early"];
  const failedShare = (canary.failed + main.failed) / Math.max(1, canary.requests + main.requests);
  const chance = 100 * beyond * standardError(Math.min(1, failedShare), canary, main);
  const times = end ? 1 : clearly;
  const bound = slowMain === undefined ? Infinity : slowMain * rule.latency * times;
  const reasons = [
    ...(failed - failedMain > rule.errors + chance
      ? [
          `${percent(failed)} of its requests failed, and ${percent(failedMain)} of those to what serves ` +
            `(canary.errors: ${rule.errors})`,
        ]
      : []),
    ...(slow !== undefined &&
    slowMain !== undefined &&
    slow > bound &&
    shareSlowerThan(canary, bound) > slowShare + beyond * standardError(slowShare, canary, main)
      ? [
          `95 % of its answers took up to ${milliseconds(slow)}, and ${milliseconds(slowMain)} of what serves ` +
            `(canary.latency: ${rule.latency})`,
        ]
      : []),
    ...(rule.difference !== undefined && difference !== undefined && difference > rule.difference * times
      ? [
          `its answers differ by ${percent(100 * difference)} on average (canary.difference: ${rule.difference})`,
        ]
      : []),
  ];
  return { state: reasons.length > 0 ? "bad" : "well", reasons };
}

/** Of the difference between two shares that are the same but for chance. */
function standardError(share: number, one: Counts, other: Counts): number {
  const spread = 1 / Math.max(1, one.requests) + 1 / Math.max(1, other.requests);
  return Math.sqrt(share * (1 - share) * spread);
}

/** What was seen, in a line. */
export function inWords({ main, canary, difference }: Seen): string {
  const slow = slowest(canary);
  const slowMain = slowest(main);
  return [
    `${canary.requests} of ${canary.requests + main.requests} requests`,
    `failed ${percent(failedPercent(canary))} (${percent(failedPercent(main))})`,
    ...(slow === undefined || slowMain === undefined
      ? []
      : [`95 % within ${milliseconds(slow)} (${milliseconds(slowMain)})`]),
    ...(difference === undefined ? [] : [`answers differ by ${percent(100 * difference)}`]),
  ].join(", ");
}

function percent(value: number): string {
  return `${value.toFixed(1)} %`;
}

function milliseconds(value: number): string {
  return `${Number(value.toPrecision(2))} ms`;
}
