/** `npm run bench -- NAME [--json]`: measurements, each against a baseline in the same run. */
import { Command, Option } from "commander";

import { count } from "../cli/arguments";
import { UserError, messageOf } from "../cli/errors";
import { chosenModels } from "../cli/local/models";
import { table } from "../cli/table";
import { batch } from "./batch";
import { frontend } from "./frontend";
import { graphsBench } from "./graphs";
import { images } from "./images";
import { program as programBench } from "./program";
import { promotion } from "./promotion";
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
  /** Why the figures do not count. @default they do */
  readonly problem?: string;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Prints a result. One that does not count ends the command with the reason. */
function show({ head, rows, figures, problem }: BenchResult, { json }: { json?: boolean }): void {
  console.log(json ? JSON.stringify(figures) : table(head, rows));
  if (problem !== undefined) throw new UserError(`Not as it should be: ${problem}`);
}

const program = new Command("npm run bench --").description(
  "Measurements, each against a baseline in the same run.",
);

program
  .command("serving")
  .description("predictions of the project's models: a plain server against ours")
  .option("--models <names>", "which, with commas between them, or all", "all")
  .option(
    "--seconds <n>",
    "how long each of the three measurements of a server and a request takes",
    Number,
    1.5,
  )
  .addOption(new Option("--json", "one flat JSON object of all figures"))
  .action(async (options: { models: string; seconds: number; json?: boolean }) => {
    show(await serving(chosenModels(options.models, false).trained, options.seconds, say), options);
  });

program
  .command("program")
  .description("the Pulumi program against an empty one: loading it, and previews without changes")
  .addOption(new Option("--json", "one flat JSON object of all figures"))
  .action(async (options: { json?: boolean }) => {
    show(await programBench(say), options);
  });

program
  .command("up")
  .description("an empty cluster's way to a prediction: the articles', step by step, against npm run up")
  .addOption(new Option("--json", "one flat JSON object of all figures"))
  .action(async (options: { json?: boolean }) => {
    show(await up(say), options);
  });

program
  .command("promotion")
  .description("promotion and rollback while clients ask, against an up that changes nothing")
  .addOption(new Option("--json", "one flat JSON object of all figures"))
  .action(async (options: { json?: boolean }) => {
    show(await promotion(say), options);
  });

program
  .command("graphs")
  .description("graphs of units in the current cluster, against their models by themselves")
  .option("--seconds <n>", "how long each of the three measurements of an address takes", Number, 3)
  .addOption(new Option("--json", "one flat JSON object of all figures"))
  .action(async (options: { seconds: number; json?: boolean }) => {
    show(await graphsBench(options.seconds, say), options);
  });

program
  .command("frontend")
  .description("the front end's page in a browser, against what it may take at most")
  .addOption(new Option("--json", "one flat JSON object of all figures"))
  .action(async (options: { json?: boolean }) => {
    show(await frontend(say), options);
  });

program
  .command("batch")
  .description("a table from file to file, against its server row by row and its model in one call")
  .option("--rows <n>", "of the table (default: 1000000)", count, 1_000_000)
  .addOption(new Option("--json", "one flat JSON object of all figures"))
  .action(async ({ rows, ...options }: { rows: number; json?: boolean }) => {
    show(await batch(rows, 2, say), options);
  });

program
  .command("images")
  .description("the images that serve, built by this machine's Docker: the article's against ours, by layer")
  .addOption(new Option("--build-arg <pairs...>", "KEY=VALUE for each build, as docker build takes it"))
  .addOption(new Option("--network <mode>", "of the builds, as docker build takes it"))
  .addOption(new Option("--json", "one flat JSON object of all figures"))
  .action(async (options: { buildArg?: string[]; network?: string; json?: boolean }) => {
    const { buildArg = [], network } = options;
    const how = [
      ...buildArg.flatMap((pair) => ["--build-arg", pair]),
      ...(network === undefined ? [] : ["--network", network]),
    ];
    show(await images(how, say), options);
  });

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof UserError ? messageOf(error) : String((error as Error).stack)}\n`);
  process.exitCode = 1;
});
