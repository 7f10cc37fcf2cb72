/** Which Python environments there are, and the lock file of each. */
import { readFileSync } from "node:fs";
import * as path from "node:path";

import { type Manifest, servedBy, trainedBy } from "../config/manifests";
import { mlAppDir } from "./paths";

/**
 * The environments that models share, each with its lock file: `tracking` has the MLflow server, and what most trainings
 * need. Those for development have in addition what tests and checks need. Each model server has one of its own, as its
 * image has: seldon-core's pins and MLflow's exclude each other.
 */
const sharedLocks: Readonly<Record<string, string>> = {
  tracking: "environments/tracking.txt",
  "tracking-dev": "environments/tracking-dev.txt",
  "serving-dev": "environments/serving-dev.txt",
};

/** The environment that serves a model; it has the name of the image. */
export function servingEnvironment({ serving }: Manifest): string {
  return serving.image;
}

/** The environment that trains a model: the one that is there anyway, if it has all that the training needs. */
export function trainingEnvironment({ training }: Manifest): string {
  const needs = pinsOf(lockOf(training.image));
  const has = new Set(pinsOf(lockOf("tracking")));
  return needs.every((pin) => has.has(pin)) ? "tracking" : training.image;
}

/** The lock file of an environment, from `ml-app/`. */
export function lockOf(name: string): string {
  const model = servedBy(name) ?? trainedBy(name);
  const own = model && `${model.folder}/${model.serving.image === name ? "serve" : "train"}/requirements.txt`;
  const lock = sharedLocks[name] ?? own;
  if (lock === undefined) throw new Error(`there is no environment ${name}`);
  return lock;
}

/** The packages of a lock file, with their versions. */
function pinsOf(lock: string): string[] {
  return readFileSync(path.join(mlAppDir, lock), "utf8").match(/^[\w.-]+==[^\s;\\]+/gm) ?? [];
}
