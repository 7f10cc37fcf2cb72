/** `npm run bench -- NAME [--json]`: measurements, each against a baseline in the same run. */
import { Command, Option } from "commander";

import { UserError, messageOf } from "../cli/errors";
import { table } from "../cli/table";
import { program as programBench } from "./program";
import { serving } from "./serving";
import { up } from "./up";

/** A bench's figures, by name: what they are of and their unit stand in the name. */
export type Figures = Readonly<Record<string, number>>;

/** The result of a bench. */
export interface BenchResult {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** All figures and ratios, flat. */
  readonly figures: Figures;
}

const program = new Command("npm run bench --").description(
  "Measurements, each against a baseline in the same run.",
);

program
  .command("serving")
  .description("single-row predictions: the original article's way against ours")
  .option("--seconds <n>", "how long each measurement takes", Number, 8)
  .addOption(new Option("--json", "one flat JSON object of all figures"))
  .action(async (options: { seconds: number; json?: boolean }) => {
    const { head, rows, figures } = await serving(options.seconds, (line) =>
      process.stderr.write(`${line}\n`),
    );
    console.log(options.json ? JSON.stringify(figures) : table(head, rows));
  });

program
  .command("program")
  .description("the Pulumi program against an empty one: loading it, and previews without changes")
  .addOption(new Option("--json", "one flat JSON object of all figures"))
  .action(async (options: { json?: boolean }) => {
    const { head, rows, figures } = await programBench((line) => process.stderr.write(`${line}\n`));
    console.log(options.json ? JSON.stringify(figures) : table(head, rows));
  });

program
  .command("up")
  .description("an empty cluster's way to a prediction: the articles', step by step, against npm run up")
  .addOption(new Option("--json", "one flat JSON object of all figures"))
  .action(async (options: { json?: boolean }) => {
    const { head, rows, figures } = await up((line) => process.stderr.write(`${line}\n`));
    console.log(options.json ? JSON.stringify(figures) : table(head, rows));
  });

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof UserError ? messageOf(error) : String((error as Error).stack)}\n`);
  process.exitCode = 1;
});
