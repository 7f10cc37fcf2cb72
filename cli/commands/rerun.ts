import { accessSync, constants, cpSync, existsSync, readFileSync, statSync } from "node:fs";
import * as path from "node:path";
import { fileURLToPath } from "node:url";

import * as z from "zod";

import { proxyAddress, throughProxy, trackingService } from "../cluster/services";
import { UserError } from "../errors";
import { onInterruption, stopMilliseconds } from "../interruption";
import { trainingEnvironment } from "../lockFiles";
import { clearUp } from "../local/clearing";
import { localDir, readState } from "../local/state";
import { MlflowClient } from "../mlflow";
import { mlAppDir, nearestAbove, shown, typed } from "../paths";
import { localHost } from "../ports";
import { killRunning, run } from "../process";
import { Progress, type Step } from "../progress";
import { type Environment, Environments } from "../python";
import { type FoundCode, findCode, lockOf } from "../rerun/code";
import { differences, surroundings } from "../rerun/comparing";
import { type FoundData, findData } from "../rerun/data";
import { pinsOf } from "../rerun/libraries";
import { type RecordedRun, findRun, readRecord, recordFile } from "../rerun/record";
import { scratchFolder } from "../rerun/scratch";
import { dataAccess } from "../surroundings";
import { type TargetOptions, chooseTarget } from "../target";

/** Options of `npm run rerun`. */
export interface RerunOptions extends TargetOptions {
  /** A file with the data. @default those of the run, as MLflow or their address have them */
  readonly data?: string;
  /** A folder for the model's files. @default they are compared, and not kept */
  readonly output?: string;
  readonly json?: boolean;
}

const outcomeShape = z.looseObject({
  ...{ run_id: z.string(), artifact_uri: z.string(), metrics: z.record(z.string(), z.number()) },
  dataset: z.looseObject({ digest: z.string() }),
});

/** Options of the trainings' command that decide nothing of the model. */
const ofTheCommand: readonly string[] = [
  ...["data", "tracking-uri", "experiment", "register-as", "tag"],
  ...["once", "compare", "no-data-copy", "data-copies", "json", "help"],
];

/** The environment variable without which MLflow keeps nothing in plain files, as is done here for a moment. */
const inFiles = { MLFLOW_ALLOW_FILE_STORE: "true" };

/**
 * `npm run rerun`: trains again what a run has trained, by its code, data, parameters and packages, and compares the models.
 * Nothing is written to MLflow.
 *
 * @param what the run, or a version of the registry.
 * @returns the exit code: 1 it is another model.
 * @throws UserError something of the run is missing; says what.
 */
export async function rerun(what: string, options: RerunOptions): Promise<number> {
  const { data, output, json = false } = options;
  if (output !== undefined) checkOutput(typed(output));
  const progress = Progress.for({ json });
  const interruption = onInterruption(killRunning);
  interruption.within(stopMilliseconds);
  const { signal } = interruption;
  try {
    await clearUp(progress, signal);
    const scratch = scratchFolder();
    const mlflow = await trackingOf(options);
    const recorded = await progress.step("run", async (step) => {
      const found = await findRun(mlflow, what);
      step.detail(`${found.run.id}, a training of ${found.manifest.name}`);
      return found;
    });
    const { record, manifest } = recorded;
    const code = await progress.step("code", async (step) => {
      const found = await findCode(mlAppDir, record, path.join(scratch, "code"));
      step.detail(found.commit === undefined ? "as it is here" : `commit ${found.commit.slice(0, 12)}`);
      return found;
    });
    const lock = path.join(code.folder, lockOf(record));
    let known: Promise<Environment> | undefined;
    const environment = (step: Step) => (known ??= environmentOf(recorded, lock, step, signal));
    const table = await progress.step("data", async (step) => {
      const found = await findData(mlflow, record, data, scratch, async (address, file) =>
        fetchTable(address, file, await environment(step), signal),
      );
      step.detail(found.where);
      return found;
    });
    const python = await progress.step("Python environment", environment);
    const again = await progress.step(`training of ${manifest.name}`, async (step) => {
      const trained = await train(recorded, code, table, python, scratch, signal, (line) => {
        step.detail(line);
      });
      step.detail("trained");
      return trained;
    });
    const different = differences({ metrics: recorded.run.metrics, record }, again);
    const around = surroundings(record, again.record, pinsOf(readFileSync(lock, "utf8")));
    progress.event({
      ...{
        event: "rerun",
        run: recorded.run.id,
        same: different.length === 0,
        different,
        surroundings: around,
      },
      ...{ commit: code.commit ?? null, metrics: again.metrics },
    });
    progress.say(summary(recorded, different, around));
    if (output !== undefined) {
      cpSync(again.files, typed(output), { recursive: true });
      progress.say(`  Its files: ${shown(typed(output))}`);
    }
    return different.length === 0 ? 0 : 1;
  } finally {
    progress.stop();
    interruption.dispose();
  }
}

/** @throws UserError no folder can be made there. */
function checkOutput(folder: string): void {
  if (existsSync(folder))
    throw new UserError(`--output: ${folder} is there already. Name a folder that is not.`);
  const parent = nearestAbove(path.resolve(folder));
  const isFolder = statSync(parent, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder) throw new UserError(`--output: ${parent} is no folder. Name one that can be made.`);
  try {
    accessSync(parent, constants.W_OK | constants.X_OK);
  } catch {
    throw new UserError(`--output: you may not write in ${parent}. Name a folder that can be made.`);
  }
}

/** The packages of the run: those at hand where its lock file is. */
function environmentOf(
  { record, manifest }: RecordedRun,
  lock: string,
  step: Step,
  signal: AbortSignal,
): Promise<Environment> {
  const environments = new Environments(signal);
  const isOurs = readFileSync(lock, "utf8") === readFileSync(path.join(mlAppDir, lockOf(record)), "utf8");
  return isOurs
    ? environments.ensure(trainingEnvironment(manifest), step)
    : environments.ensureLocked(lock, step);
}

/** Fetches a table as trainings do, by the code at hand. @returns why it cannot be had; undefined if it is there */
async function fetchTable(
  address: string,
  file: string,
  python: Environment,
  signal: AbortSignal,
): Promise<string | undefined> {
  const command = python.module(
    `fetching ${address}`,
    localDir("logs", "rerun-data.log"),
    ["modelkit.fetching", address, file],
    dataAccess(address),
  );
  const { problem } = JSON.parse(await run(command, signal)) as { readonly problem: string | null };
  return problem ?? undefined;
}

/** Where the run is recorded. @throws UserError there is no MLflow. */
async function trackingOf(options: TargetOptions): Promise<MlflowClient> {
  const target = await chooseTarget(options);
  if (target.kind === "cluster")
    return new MlflowClient(proxyAddress(trackingService), throughProxy(target.cluster));
  const { mlflow } = readState();
  if (mlflow === undefined)
    throw new UserError(
      `no MLflow runs on this machine, and ${target.reason}. Start it: npm run up -- --detach`,
    );
  return new MlflowClient(`http://${localHost}:${mlflow.port}`);
}

/** Trains, with a store of its own, of which nothing stays. */
async function train(
  { run: then, record, manifest }: RecordedRun,
  code: FoundCode,
  table: FoundData,
  python: Environment,
  scratch: string,
  signal: AbortSignal,
  onLine: (line: string) => void,
) {
  const store = `file://${path.join(scratch, "runs")}`;
  const parameters = Object.entries(then.parameters).map(([key, value]) => {
    const option = key.replaceAll("_", "-");
    // Somebody else may have written them; the options of the command itself are not for the run to say.
    if (!/^[a-z][a-z0-9-]*$/.test(option) || ofTheCommand.includes(option))
      throw new UserError(
        `run ${then.id} cannot be repeated: its parameter ${JSON.stringify(key)} is no training's.`,
      );
    return `--${option}=${value}`;
  });
  const args = ["--json", "--tracking-uri", store, "--data", table.file, ...parameters];
  const command = python.module(
    `training ${manifest.name}`,
    localDir("logs", `rerun-${manifest.name}.log`),
    [`${record.training}.train`, ...args],
    { ...inFiles, PYTHONPATH: code.folder },
    scratch,
  );
  const outcome = outcomeShape.parse(JSON.parse(await run(command, signal, onLine)));
  if (!record.data.sha256.startsWith(outcome.dataset.digest))
    throw new UserError(
      `the data of this run are missing: ${table.file} has another content now. If you have them, name the file: ` +
        `--data FILE. Their SHA-256 is ${record.data.sha256}.`,
    );
  const files = fileURLToPath(outcome.artifact_uri);
  // In a store of files an experiment has a folder, with one for each run and one for the models.
  const own = path.join(path.dirname(path.dirname(path.dirname(files))), outcome.run_id, "artifacts");
  const text = readFileSync(path.join(own, recordFile), "utf8");
  return { metrics: outcome.metrics, record: readRecord(text, "the training"), files };
}

function summary(
  { run: then, manifest }: RecordedRun,
  different: readonly string[],
  around: readonly string[],
): string {
  const [verdict, details] =
    different.length === 0
      ? [`${manifest.name} of run ${then.id} came out the same, number for number`, []]
      : [`${manifest.name} of run ${then.id} came out as another model:`, different];
  const lines = [
    verdict,
    ...details.map((one) => `  ${one}`),
    ...(around.length === 0 ? [] : ["What is not as it was then:", ...around.map((one) => `  ${one}`)]),
  ];
  return `\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
