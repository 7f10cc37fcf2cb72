import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { FakeTools } from "../support/fakeTools";

/** Programs of a test that answer by their arguments, and keep what comes through their standard input. */
export class AnsweringTools {
  private readonly tools = new FakeTools();
  private readonly folder = mkdtempSync(path.join(tmpdir(), "mlplatform-answers-"));
  private marks = 0;

  /**
   * Adds a program.
   *
   * @param answers what it does, as a shell script, by a pattern that its arguments fit; the first one holds. It fails
   * where none does.
   */
  add(name: string, answers: Readonly<Record<string, string>>): this {
    const cases = Object.entries(answers).map(([pattern, script]) => `${pattern}) ${script};;`);
    const keepInput = `while IFS= read -r line || [ -n "$line" ]; do printf '%s\\n' "$line" >> '${this.input}'; done`;
    const unexpected = fails("unexpected arguments");
    this.tools.add(name, [keepInput, 'case "$*" in', ...cases, `*) ${unexpected};;`, "esac"].join("\n"));
    return this;
  }

  /** A script that is one at its first run, and another one from then on. */
  firstThen(first: string, then: string): string {
    this.marks += 1;
    const mark = path.join(this.folder, `mark-${this.marks}`);
    return `if [ -e '${mark}' ]; then ${then}; else : > '${mark}'; ${first}; fi`;
  }

  /** All calls so far, in their order. */
  get calls(): string[] {
    return this.tools.calls;
  }

  /** What came through standard input so far: a JSON document on each line. */
  get inputs(): unknown[] {
    if (!existsSync(this.input)) return [];
    const lines = readFileSync(this.input, "utf8").trimEnd().split("\n");
    return lines.map((line) => JSON.parse(line) as unknown);
  }

  /** Gives the PATH back. */
  dispose(): void {
    this.tools.dispose();
    rmSync(this.folder, { recursive: true });
  }

  private get input(): string {
    return path.join(this.folder, "input");
  }
}

/** A script that writes a text, or a value as JSON. */
export function says(answer: unknown): string {
  return `printf '%s\\n' ${quoted(typeof answer === "string" ? answer : JSON.stringify(answer))}`;
}

/** A script that fails with a message. */
export function fails(message: string): string {
  return `printf '%s\\n' ${quoted(message)} >&2; exit 1`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
