import { existsSync, rmSync } from "node:fs";
import * as path from "node:path";

import * as z from "zod";

import { UserError } from "../errors";
import { sendTo } from "../exchange";
import type { MlflowClient, ModelVersion } from "../mlflow";
import { logExcerpt, run } from "../process";
import type { Progress, Step } from "../progress";
import { type Environment, type EnvironmentName, Environments } from "../python";
import { type Answer, predict } from "../seldon";
import { isUrl, trainingFingerprint } from "./fingerprint";
import { LocalServices, type Ports, predictUrl } from "./services";
import { type LocalModel, localDir } from "./state";

/** The house of the original article: bedrooms, bathrooms, sqft_living, … in the order of the model's columns. */
export const exampleRow = [3, 1.5, 1340, 1340, 7, 1, 0, 5650, 0, 98178] as const;

/** The model of the original article. */
export const modelName = "house-price";
const champion = "champion";
/** Tag of a model version: the fingerprint of what it was trained from. */
const fingerprintTag = "fingerprint";

/** What the user may choose for the local target. */
export interface LocalOptions {
  /** Training data: a path, `https://…` or `s3://…`. @default the sample of the project */
  readonly data?: string | undefined;
  /** Python interpreter to make environments with. @default the first that fits */
  readonly python?: string | undefined;
  readonly ports: Ports;
}

/** The local target, in service. */
export interface LocalUp {
  readonly mlflowUrl: string;
  readonly model: LocalModel;
  readonly version: ModelVersion;
  /** R² of the version on its test rows; undefined if its run does not say. */
  readonly testScore: number | undefined;
  /** Answer to `exampleRow`. */
  readonly answer: Answer;
  /** Stops what this call has started; what ran before it goes on. */
  readonly stopStarted: () => Promise<void>;
}

/**
 * Brings the platform up as processes of this machine: environments, MLflow, training, model server, prediction.
 *
 * What is there and unchanged is used as it is; what does not depend on each other goes on side by side.
 *
 * @throws UserError a step failed. The services that this call has started are stopped, those of before go on.
 */
export async function bringUp(
  options: LocalOptions,
  progress: Progress,
  outer: AbortSignal,
): Promise<LocalUp> {
  const data = dataAddress(options.data);
  const controller = new AbortController();
  const signal = AbortSignal.any([outer, controller.signal]);
  const services = new LocalServices(options.ports, signal);
  await services.checkPorts();

  const environments = new Environments(signal, options.python);
  const environment = (name: EnvironmentName) =>
    progress.step(`Python environment ${name}`, (step) => environments.ensure(name, step));

  const tracking = environment("tracking");
  const serving = environment("serving");
  const mlflow = tracking.then((python) =>
    progress.step("MLflow server", (step) => services.mlflow(python, step)),
  );
  const trained = Promise.all([tracking, mlflow]).then(([python, client]) =>
    progress.step("training", (step) => trainIfChanged(python, client, data, step, signal)),
  );
  const fetched = Promise.all([mlflow, trained]).then(([client]) =>
    progress.step("model files", (step) => fetchChampion(client, step)),
  );
  const served = Promise.all([serving, fetched]).then(([python, { version, files }]) =>
    progress.step("model server", async (step) => {
      try {
        return await services.model(python, version, files, step);
      } catch (error) {
        // The files may be at fault: the next run fetches them again.
        rmSync(files, { recursive: true, force: true });
        throw error;
      }
    }),
  );

  // The first failure ends the others, and is the one that is told.
  const steps = [tracking, serving, mlflow, trained, fetched, served];
  const failed = (error: unknown) => {
    controller.abort(error);
  };
  for (const step of steps) step.catch(failed);
  try {
    const [client, { version }, model] = await Promise.all([mlflow, fetched, served]);
    const answer = await predict(sendTo(predictUrl(model)), { ndarray: [exampleRow] });
    const testScore = await client.metric(version.runId, "test_score");
    const stopStarted = () => services.stopStarted();
    return { mlflowUrl: client.url, model, version, testScore, answer, stopStarted };
  } catch (error) {
    await Promise.allSettled(steps);
    await services.stopStarted();
    throw signal.aborted ? signal.reason : error;
  }
}

/** What the training prints; `reason` is why the version has its alias, a sentence. */
const trainingResult = z.object({
  ...{ version: z.string(), alias: z.string().nullable(), previous_champion: z.string().nullable() },
  ...{ reason: z.string(), metrics: z.object({ test_score: z.number() }) },
});

/** @throws UserError the training has printed something else, or more. */
export function readTrainingResult(output: string, log: string): z.infer<typeof trainingResult> {
  try {
    return trainingResult.parse(JSON.parse(output));
  } catch {
    const said = output.trim().slice(0, 200);
    throw new UserError(
      `training: it ended well, and its output is not its result: ${said === "" ? "nothing" : JSON.stringify(said)}. ` +
        `Whatever prints there, such as a sitecustomize.py of this Python, is in the way. ${logExcerpt(log)}`,
    );
  }
}

/** The address as training takes it: paths are the user's, who may stand in another folder than npm. */
function dataAddress(data: string | undefined): string | undefined {
  if (data === undefined || isUrl(data)) return data;
  const file = path.resolve(process.env["INIT_CWD"] ?? process.cwd(), data);
  if (!existsSync(file)) throw new UserError(`--data: there is no file ${file}.`);
  return file;
}

async function trainIfChanged(
  python: Environment,
  mlflow: MlflowClient,
  data: string | undefined,
  step: Step,
  signal: AbortSignal,
): Promise<void> {
  const fingerprint = trainingFingerprint(data);
  const [present, known] = await Promise.all([
    mlflow.versionByAlias(modelName, champion),
    mlflow.versionByTag(modelName, fingerprintTag, fingerprint),
  ]);
  if (present !== undefined && known?.version === present.version) {
    step.detail(`code and data unchanged since version ${known.version}`);
    return;
  }
  // Another version has become the champion since, perhaps on other data: who is better is asked of the data of today.
  const again = present === undefined ? undefined : known;
  step.detail(
    again === undefined ? "starting" : `comparing version ${again.version} with the champion again`,
  );
  const log = localDir("logs", "training.log");
  const output = await run(
    python.module("training", log, [
      ...["house_price.train", "--json", "--tracking-uri", mlflow.url, "--register-as", modelName],
      ...(again === undefined ? ["--tag", `${fingerprintTag}=${fingerprint}`] : ["--compare", again.version]),
      ...(data === undefined ? [] : ["--data", data]),
    ]),
    signal,
    (line) => {
      step.detail(line);
    },
  );
  const result = readTrainingResult(output, log);
  const { version, alias, reason, metrics } = result;
  const why = result.previous_champion === null ? "" : `: ${reason}`;
  if (again === undefined)
    step.detail(`version ${version} is ${alias}, R² ${metrics.test_score.toFixed(3)} on test rows${why}`);
  else if (alias === champion)
    step.detail(`code and data unchanged since version ${version}, which is ${champion} again${why}`);
  else step.detail(`code and data unchanged since version ${version}, but it is not the ${champion}${why}`);
}

/** Fetches the champion's files; a version's files never change, so once is enough. */
async function fetchChampion(
  mlflow: MlflowClient,
  step: Step,
): Promise<{ version: ModelVersion; files: string }> {
  const version = await mlflow.versionByAlias(modelName, champion);
  if (version === undefined)
    throw new UserError(`MLflow has no ${champion} of ${modelName}, though it was trained.`);
  const files = localDir("models", version.name, `${version.version}-${version.runId}`);
  const fetched = !existsSync(files);
  if (fetched) await mlflow.download(version, files);
  step.detail(
    `models:/${version.name}@${champion} is version ${version.version}${fetched ? "" : ", was fetched"}`,
  );
  return { version, files };
}
