/** The files of versions, as they are kept on this machine. */
import { existsSync } from "node:fs";
import * as path from "node:path";

import { champion } from "../../config/registryNames";
import { UserError } from "../errors";
import type { MlflowClient, ModelVersion } from "../mlflow";
import type { Step } from "../progress";
import { filesOf } from "./registered";

/** What is there if the files are. */
export function modelFile(folder: string): string {
  return path.join(folder, "MLmodel");
}

/** Fetches the champion's files. */
export async function fetchChampion(
  name: string,
  mlflow: MlflowClient,
  step: Step,
): Promise<{ version: ModelVersion; files: string }> {
  const version = await mlflow.versionByAlias(name, champion);
  if (version === undefined)
    throw new UserError(`MLflow has no ${champion} of ${name}, though it was trained.`);
  const files = await fetchVersion(version, mlflow, step, `models:/${version.name}@${champion} is `);
  return { version, files };
}

/**
 * Fetches a version's files; they never change, so once is enough.
 *
 * @param what stands before the version's number, for people.
 * @returns their folder.
 */
export async function fetchVersion(
  version: ModelVersion,
  mlflow: MlflowClient,
  step: Step,
  what = "",
): Promise<string> {
  const files = filesOf(version);
  const fetched = !existsSync(modelFile(files));
  if (fetched) await mlflow.download(version, files);
  step.detail(`${what}version ${version.version}${fetched ? "" : ", was fetched"}`);
  return files;
}
