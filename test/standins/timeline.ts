import type { Behaviour } from "./behaviour";
import type { Call, CallObserver } from "./backend";

/** A call as it went. */
export interface Entry extends Call {
  readonly number: number;
  /** Milliseconds, on a clock that only this process knows. */
  readonly start: number;
  /** Undefined while it runs, and for ever if its provider was killed. */
  end?: number;
  failure?: string;
}

/** Records each call that changes something, from its start to its end, and lets the rules hold it up. */
export class Timeline implements CallObserver {
  readonly entries: Entry[] = [];
  /** Told of each start and each end, before the provider hears of it. */
  listener: ((entry: Entry, moment: "began" | "ended") => void | Promise<void>) | undefined;

  constructor(private readonly behaviour: Behaviour) {}

  async began(call: Call): Promise<number> {
    const entry: Entry = { ...call, number: this.entries.length, start: performance.now() };
    this.entries.push(entry);
    await this.listener?.(entry, "began");
    try {
      await this.behaviour.meet("call", `${call.verb} ${call.label}`);
    } catch (error) {
      entry.end = performance.now();
      entry.failure = error instanceof Error ? error.message : String(error);
      throw error;
    }
    return entry.number;
  }

  async ended(number: number, failure?: string): Promise<void> {
    const entry = this.entries[number];
    if (entry === undefined) return;
    entry.end = performance.now();
    if (failure !== undefined) entry.failure = failure;
    await this.listener?.(entry, "ended");
  }

  /** The only call of this verb whose label matches. @throws Error there is none, or more than one. */
  only(verb: Call["verb"], label: RegExp): Entry & { end: number } {
    const found = this.entries.filter((entry) => entry.verb === verb && label.test(entry.label));
    const [entry] = found;
    if (entry?.end === undefined || found.length > 1) {
      const all = this.entries.map((each) => `${each.verb} ${each.label}`).join("\n  ");
      throw new Error(
        `${found.length} calls are "${verb} ${label.source}", not one that has ended:\n  ${all}`,
      );
    }
    return { ...entry, end: entry.end };
  }
}
