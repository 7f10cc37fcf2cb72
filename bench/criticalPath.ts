/** A step with its begin and its end, in seconds on one clock. */
export interface Interval {
  readonly step: string;
  readonly began: number;
  readonly ended: number;
}

/** How much earlier than the end of its cause a step may seem to begin, as both are heard of a little late. */
const tolerance = 1;

/**
 * The chain of steps that a run took its time for: from the step that ended last, back to the one that ended last
 * before that began, and so on. What lies between two of them is counted to the later one.
 *
 * @returns the steps in order; their seconds add up to the end of the run.
 */
export function criticalPath(intervals: readonly Interval[]): { step: string; seconds: number }[] {
  const path: Interval[] = [];
  let next = last(intervals);
  while (next !== undefined) {
    path.unshift(next);
    const { began } = next;
    next = last(intervals.filter((each) => each.began < began && each.ended <= began + tolerance));
  }
  return path.map(({ step, ended }, index) => ({ step, seconds: ended - (path[index - 1]?.ended ?? 0) }));
}

function last(intervals: readonly Interval[]): Interval | undefined {
  return intervals.reduce<Interval | undefined>(
    (latest, each) => (latest === undefined || each.ended > latest.ended ? each : latest),
    undefined,
  );
}
