/** What a run and its repetition have in common, number for number. */
import { type Pin, changes } from "./libraries";
import type { RunRecord } from "./record";

/** What came of a run. */
export interface Result {
  readonly metrics: Readonly<Record<string, number>>;
  readonly record: RunRecord;
}

/** What the training says of its own model; the others are of the champion of then. */
const own = /^(train|test)_/;

/**
 * What differs in the numbers of the two: nothing where the models are the same.
 *
 * @returns a sentence for each difference.
 */
export function differences(then: Result, now: Result): string[] {
  const names = [...new Set([...Object.keys(then.metrics), ...Object.keys(now.metrics)])].filter((name) =>
    own.test(name),
  );
  const metrics = names.sort().flatMap((name) => {
    const [was, is] = [then.metrics[name], now.metrics[name]];
    return was === is ? [] : [`${name} was ${String(was)}, and is ${String(is)}`];
  });
  const answers =
    then.record.answers === now.record.answers ? [] : ["the answers to the rows of the data are others"];
  return [...metrics, ...answers];
}

/** What of the surroundings differs, which may be why. @returns a few words for each */
export function surroundings(then: RunRecord, now: RunRecord, pins: readonly Pin[]): string[] {
  const python = then.python === now.python ? [] : [`Python ${then.python} then, ${now.python} now`];
  const machine = then.machine === now.machine ? [] : [`${then.machine} then, ${now.machine} now`];
  return [...changes(pins, then.libraries, now.libraries), ...python, ...machine];
}
