/** Trains a model of the project, on this machine, unless nothing has changed since it was. */
import { existsSync } from "node:fs";

import * as z from "zod";

import type { Manifest } from "../../config/manifests";
import { champion } from "../../config/registryNames";
import { UserError } from "../errors";
import type { MlflowClient, ModelVersion } from "../mlflow";
import { logExcerpt, run } from "../process";
import type { Step } from "../progress";
import type { Environment } from "../python";
import { promotionOf, rolledBackTag } from "../registry/promotion/record";
import { dataAccess } from "../surroundings";
import { trainingFingerprint } from "./fingerprint";
import { localStack } from "./moving/scene";
import { filesOf } from "./registered";
import { localDir } from "./state";
import { modelFile } from "./versionFiles";

/** Tag of a model version: the fingerprint of what it was trained from. */
const fingerprintTag = "fingerprint";

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

/** What is trained on. */
export interface TrainingData {
  /** A path or an address; undefined is the sample of the project. */
  readonly data: string | undefined;
  /** Whether MLflow keeps a copy of it. */
  readonly keepData: boolean;
}

/**
 * Trains it where code, packages or data are others than those of any version; where another version has become the
 * champion since, has the two compared again.
 *
 * @throws UserError the training failed.
 */
export async function trainIfChanged(
  manifest: Manifest,
  python: Environment,
  mlflow: MlflowClient,
  { data, keepData }: TrainingData,
  step: Step,
  signal: AbortSignal,
): Promise<void> {
  const { name, folder, training } = manifest;
  const fingerprint = await trainingFingerprint(manifest, data);
  const [present, known] = await Promise.all([
    mlflow.versionByAlias(name, champion).then((found) => whole(mlflow, found)),
    mlflow.versionByTag(name, fingerprintTag, fingerprint).then((found) => whole(mlflow, found)),
  ]);
  if (present !== undefined && known?.version === present.version) {
    step.detail(`code and data unchanged since version ${known.version}`);
    return;
  }
  // Another version has become the champion since, perhaps on other data: who is better is asked of the data of today.
  const again = present === undefined ? undefined : known;
  if (present !== undefined && again !== undefined && wasLeft(again, present)) {
    step.detail(
      `code and data unchanged since version ${again.version}, in whose place somebody has chosen version ${present.version}`,
    );
    return;
  }
  step.detail(
    again === undefined ? "starting" : `comparing version ${again.version} with the champion again`,
  );
  const log = localDir("logs", `training-${name}.log`);
  const output = await run(
    python.module(
      `training ${name}`,
      log,
      [
        ...[`${folder}.train`, "--json", "--tracking-uri", mlflow.url, "--register-as", name],
        ...(again === undefined
          ? ["--tag", `${fingerprintTag}=${fingerprint}`]
          : ["--compare", again.version]),
        ...(data === undefined ? [] : ["--data", data]),
        ...(keepData ? [] : ["--no-data-copy"]),
      ],
      dataAccess(data),
    ),
    signal,
    (line) => {
      step.detail(line);
    },
  );
  const result = readTrainingResult(output, log);
  const { version, alias, reason, metrics } = result;
  const why = result.previous_champion === null ? "" : `: ${reason}`;
  if (again === undefined)
    step.detail(
      `version ${version} is ${alias}, ${training.score} ${metrics.test_score.toFixed(3)} on test rows${why}`,
    );
  else if (alias === champion)
    step.detail(`code and data unchanged since version ${version}, which is ${champion} again${why}`);
  else step.detail(`code and data unchanged since version ${version}, but it is not the ${champion}${why}`);
}

/** Whether somebody has promoted another version in the place of one, or rolled it back: a training does not undo that. */
function wasLeft(one: ModelVersion, champion: ModelVersion): boolean {
  const promotion = promotionOf(champion, localStack);
  const chosen = promotion?.chosen === true && promotion.from === Number(one.version);
  return chosen || rolledBackTag(localStack) in one.tags;
}

/** A version, if its files are here or in MLflow's store; one without them is as if it were not there. */
async function whole(
  mlflow: MlflowClient,
  version: ModelVersion | undefined,
): Promise<ModelVersion | undefined> {
  if (version === undefined) return undefined;
  return existsSync(modelFile(filesOf(version))) || (await mlflow.holds(version)) ? version : undefined;
}
