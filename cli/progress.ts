import { clearScreenDown, cursorTo, moveCursor } from "node:readline";
import { stripVTControlCharacters } from "node:util";
import colors from "picocolors";

import { Interrupted, messageOf } from "./errors";

/** A step that is under way. */
export interface Step {
  /** Says what the step is doing, or waiting for, now. */
  detail(text: string): void;
}

/** One that may turn out to have nothing to do. */
export interface OpenStep extends Step {
  /** Says why there was nothing to do: the step then ends neither well nor ill. */
  skip(reason: string): void;
}

interface Line extends OpenStep {
  readonly title: string;
  readonly started: number;
  text: string;
  skipped: boolean;
  /** What was said of it last, and when, in milliseconds since 1970; 0 if nothing was. */
  said: string;
  saidAt: number;
}

/** How progress is shown. */
export type ProgressMode = "live" | "plain" | "json";

/** How often a step is mentioned where lines cannot be redrawn, in milliseconds. */
export interface Pace {
  /** How long a step that goes on is silent at most. */
  readonly reminderMilliseconds: number;
  /** And at least, when there is something new to say of it. */
  readonly newsMilliseconds: number;
}

const usualPace: Pace = { reminderMilliseconds: 15_000, newsMilliseconds: 5_000 };
/** Steps shorter than this are shown only when they are done. */
const quietMilliseconds = 2_000;
const spinner = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";

/**
 * Shows what a command is doing: each step with its time, and what it is waiting for.
 *
 * On a terminal the steps under way are redrawn in place; elsewhere each gets plain lines; with `json`
 * each change is one JSON object on a line of standard output, and nothing else is written there.
 */
export class Progress {
  private readonly active = new Set<Line>();
  private readonly timer: NodeJS.Timeout | undefined;
  private drawn = 0;
  private frame = 0;
  private failure: unknown;

  /** @param pace @default news every 5 s, and a reminder every 15 s */
  constructor(
    readonly mode: ProgressMode,
    private readonly pace: Pace = usualPace,
  ) {
    if (mode !== "json") {
      this.timer = setInterval(
        () => {
          this.tick();
        },
        mode === "live" ? 100 : 500,
      );
      this.timer.unref();
    }
  }

  /** The mode that fits standard output, and the wish for JSON. */
  static for(options: { json?: boolean | undefined }, pace?: Pace): Progress {
    if (options.json) return new Progress("json");
    return new Progress(process.stdout.isTTY && !process.env["CI"] ? "live" : "plain", pace);
  }

  /**
   * Runs one step and shows it.
   *
   * @param title what the step is for, as a noun: "MLflow server".
   * @param work the step; what it passes to `detail` last stands behind its title when it is done.
   */
  async step<T>(title: string, work: (step: OpenStep) => Promise<T>): Promise<T> {
    const line: Line = {
      title,
      started: Date.now(),
      text: "",
      skipped: false,
      said: "",
      saidAt: 0,
      detail: (text) => {
        line.text = text;
        this.event({ event: "step", step: title, state: "running", detail: text });
      },
      skip: (reason) => {
        line.text = reason;
        line.skipped = true;
      },
    };
    this.active.add(line);
    this.event({ event: "step", step: title, state: "running" });
    try {
      const result = await work(line);
      if (line.skipped) this.finish(line, colors.yellow("!"), "skipped", line.text);
      else this.finish(line, colors.green("✓"), "done", line.text);
      return result;
    } catch (error) {
      // Steps that a failure elsewhere has ended throw that same failure.
      const first = this.failure === undefined && !(error instanceof Interrupted);
      this.failure ??= error;
      if (first) this.finish(line, colors.red("✗"), "failed", messageOf(error).split("\n", 1)[0] ?? "");
      else this.finish(line, colors.dim("–"), "stopped", "stopped");
      throw error;
    }
  }

  /** Writes a line for people; in `json` mode, nothing. */
  say(text = ""): void {
    if (this.mode === "json") return;
    this.erase();
    process.stdout.write(`${text}\n`);
    this.draw();
  }

  /** Writes a warning: for people on standard error, in `json` mode as an event. */
  warn(text: string): void {
    if (this.mode === "json") {
      this.event({ event: "warning", message: text });
      return;
    }
    this.erase();
    process.stderr.write(`${colors.yellow("Warning:")} ${text}\n`);
    this.draw();
  }

  /** Writes one JSON object on a line; in the other modes, nothing. */
  event(event: object): void {
    if (this.mode === "json") process.stdout.write(`${JSON.stringify(event)}\n`);
  }

  /** Ends the display; further lines are written as they come. */
  stop(): void {
    clearInterval(this.timer);
    this.erase();
    this.active.clear();
  }

  private finish(line: Line, mark: string, state: string, detail: string): void {
    if (!this.active.delete(line)) return;
    const seconds = (Date.now() - line.started) / 1000;
    this.event({ event: "step", step: line.title, state, detail, seconds: Math.round(seconds * 100) / 100 });
    this.say(`${mark} ${row(line.title, seconds, detail)}`);
  }

  private tick(): void {
    if (this.mode === "live") {
      this.frame += 1;
      this.erase();
      this.draw();
      return;
    }
    const { newsMilliseconds, reminderMilliseconds } = this.pace;
    for (const line of this.active) {
      const now = Date.now();
      const spent = now - line.started;
      const silent = now - line.saidAt;
      const news = line.text !== line.said && silent >= newsMilliseconds;
      if (spent < quietMilliseconds || !(news || silent >= reminderMilliseconds)) continue;
      line.said = line.text;
      line.saidAt = now;
      this.say(`… ${row(line.title, spent / 1000, line.text || "under way")}`);
    }
  }

  private draw(): void {
    if (this.mode !== "live") return;
    const mark = colors.cyan(spinner[this.frame % spinner.length] ?? "");
    for (const line of this.active) {
      const text = `${mark} ${row(line.title, (Date.now() - line.started) / 1000, line.text)}`;
      process.stdout.write(`${fit(text, process.stdout.columns)}\n`);
    }
    this.drawn = this.active.size;
  }

  private erase(): void {
    if (this.drawn === 0) return;
    moveCursor(process.stdout, 0, -this.drawn);
    cursorTo(process.stdout, 0);
    clearScreenDown(process.stdout);
    this.drawn = 0;
  }
}

function row(title: string, seconds: number, detail: string): string {
  return `${title.padEnd(28)} ${`${seconds.toFixed(1)} s`.padStart(8)}  ${colors.dim(detail)}`;
}

/** Cuts a line to the terminal's width, since a line that wraps cannot be erased as one. */
function fit(text: string, columns: number): string {
  const plain = stripVTControlCharacters(text);
  return plain.length < columns ? text : `${plain.slice(0, Math.max(columns - 2, 0))}…`;
}
