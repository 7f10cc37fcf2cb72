import { setTimeout as sleep } from "node:timers/promises";

/** How the cluster shall behave for some calls. */
export interface Rule {
  /** Which ones: matched against the verb and the label, `create Release mlflow/mlflow`. */
  readonly on: RegExp;
  /**
   * What the rule is about: the call as a whole, before it does anything, or the work that the cluster does for
   * it, such as an installation's wait.
   *
   * @default "work"
   */
  readonly at?: "call" | "work";
  /** Milliseconds more that it takes. */
  readonly latency?: number;
  /** It fails with this message, at the end of the latency. */
  readonly fail?: string;
  /** It goes on only when this is done; never, if it never is. */
  readonly hold?: Promise<unknown>;
  /** How often the rule applies. @default always */
  readonly times?: number;
}

/** The message with which Helm's wait ends when the time is over. */
export const timedOut = "timed out waiting for the condition";

/** The rules of a cluster, the newest first. */
export class Behaviour {
  private rules: { rule: Rule; left: number }[] = [];

  /** Adds a rule; latencies of several add up, and the newest failure counts. */
  add(rule: Rule): void {
    this.rules.unshift({ rule, left: rule.times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.rules = [];
  }

  /** Lets the rules for this call take effect. @throws Error one of them says that it fails. */
  async meet(at: "call" | "work", call: string, signal?: AbortSignal): Promise<void> {
    const matching = this.rules.filter(
      (entry) => entry.left > 0 && (entry.rule.at ?? "work") === at && entry.rule.on.test(call),
    );
    for (const entry of matching) entry.left -= 1;
    const latency = matching.reduce((sum, { rule }) => sum + (rule.latency ?? 0), 0);
    if (latency > 0) await sleep(latency, undefined, { ...(signal && { signal }) });
    const hold = matching.find(({ rule }) => rule.hold !== undefined)?.rule.hold;
    if (hold !== undefined) await Promise.race([hold, ...(signal ? [aborted(signal)] : [])]);
    const fail = matching.find(({ rule }) => rule.fail !== undefined)?.rule.fail;
    if (fail !== undefined) throw new Error(fail);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => {
      reject(new Error("the caller has gone"));
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort);
  });
}
