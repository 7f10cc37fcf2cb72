import { messageOf } from "../../cli/errors";
import { table } from "../../cli/table";

/** A step as it went. */
export interface StepResult {
  readonly step: string;
  readonly seconds: number;
  readonly ok: boolean;
  /** What was seen, or why it failed. */
  readonly result: string;
}

/** The steps of the test: timed, told while they run, and shown as a table at the end. */
export class Steps {
  readonly results: StepResult[] = [];

  constructor(private readonly json: boolean) {}

  get ok(): boolean {
    return this.results.every(({ ok }) => ok);
  }

  /** Says what is going on. */
  say(text: string): void {
    if (!this.json) console.log(text);
  }

  /** Writes one JSON object on a line, where JSON is wanted. */
  event(event: object): void {
    if (this.json) console.log(JSON.stringify(event));
  }

  /**
   * Runs a step.
   *
   * @param work returns what was seen.
   * @throws whatever the step throws, after it has been told.
   */
  async run(step: string, work: () => Promise<string>): Promise<void> {
    this.say(`\n── ${step} ──`);
    const began = performance.now();
    const end = (ok: boolean, result: string) => {
      const seconds = Math.round((performance.now() - began) / 10) / 100;
      this.results.push({ step, seconds, ok, result });
      this.event({ event: "e2e-step", step, seconds, ok, result });
      this.say(`${ok ? "✓" : "✗"} ${step}, ${seconds.toFixed(1)} s: ${result}`);
    };
    try {
      end(true, await work());
    } catch (error) {
      end(false, messageOf(error));
      throw error;
    }
  }

  /** All steps with their times. Of a failure, its first line: the rest stands above. */
  table(): string {
    const rows = this.results.map(({ step, seconds, ok, result }) => [
      step,
      seconds.toFixed(1),
      `${ok ? "" : "FAILED: "}${result.split("\n", 1)[0] ?? ""}`,
    ]);
    return table(["step", "seconds", "result"], rows);
  }
}
