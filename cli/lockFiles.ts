/** Which Python environments there are, and the lock file of each. */
import { readFileSync } from "node:fs";
import * as path from "node:path";

import { type Manifest, hasOwnServer, servedBy, trainedBy } from "../config/manifests";
import { mlAppDir } from "./paths";

/**
 * The environments that models share, each with its lock file: `tracking` has the MLflow server, and what most trainings
 * need; `mlserver` the standard servers, and what the trainings of their models need. Those for development have in
 * addition what tests and checks need; `mlserver-mlflow`, `any-model`, `xgboost-next` and `envoy` are for tests alone. Each other model server
 * has one of its own, as its image has: seldon-core's pins and MLflow's exclude each other. So has the front end.
 */
const sharedLocks: Readonly<Record<string, string>> = {
  tracking: "environments/tracking.txt",
  "tracking-dev": "environments/tracking-dev.txt",
  "serving-dev": "environments/serving-dev.txt",
  mlserver: "environments/mlserver.txt",
  "mlserver-dev": "environments/mlserver-dev.txt",
  "mlserver-mlflow": "environments/mlserver-mlflow.txt",
  "any-model": "environments/any-model.txt",
  "xgboost-next": "environments/xgboost-next.txt",
  envoy: "environments/envoy.txt",
  frontend: "frontend/requirements.txt",
  "frontend-dev": "environments/frontend-dev.txt",
};

/** The environment that serves a model: that of the standard servers, or its own, which has the name of its image. */
export function servingEnvironment(manifest: Manifest): string {
  return hasOwnServer(manifest) ? manifest.serving.image : "mlserver";
}

/** The environment that trains a model: one that is there anyway, if it has all that the training needs. */
export function trainingEnvironment(manifest: Manifest): string {
  const { image } = manifest.training;
  const needs = pinsOf(lockOf(image));
  const there = ["tracking", servingEnvironment(manifest)].find((name) => {
    const has = new Set(pinsOf(lockOf(name)));
    return needs.every((pin) => has.has(pin));
  });
  return there ?? image;
}

/** The lock file of an environment, from `ml-app/`. */
export function lockOf(name: string): string {
  const [served, trained] = [servedBy(name), trainedBy(name)];
  const lock =
    sharedLocks[name] ??
    (served && `${served.folder}/serve/requirements.txt`) ??
    (trained && `${trained.folder}/train/requirements.txt`);
  if (lock === undefined) throw new Error(`there is no environment ${name}`);
  return lock;
}

/** The packages of a lock file, with their versions. */
function pinsOf(lock: string): string[] {
  return readFileSync(path.join(mlAppDir, lock), "utf8").match(/^[\w.-]+==[^\s;\\]+/gm) ?? [];
}
