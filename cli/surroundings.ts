/** What of the user's shell reaches the processes of this machine, and what does not. */
import { existsSync } from "node:fs";

import { localHost } from "./ports";

/**
 * Variables that would steer the services of this machine from the user's shell. With `MLFLOW_REGISTRY_URI` a training
 * would register its model elsewhere, with `MLFLOW_RUN_ID` write into a run of another's (mlflow/mlflow#18194).
 * `AWS_…` stays: data may be in S3.
 */
const steering =
  /^(_?MLFLOW|DATABRICKS|MLSERVER|UVICORN|GUNICORN|FLASK|SELDON|PREDICTIVE_UNIT|PREDICTOR)_|^PYTHON/;

/** What takes those variables out of a process's environment. */
export function withoutSteering(): Record<string, undefined> {
  return without(steering);
}

/**
 * The environment of a Python that is asked something. With `PYTHONINSPECT` it would not end, with `PYTHONHASHSEED=abc`
 * not start, with `PYTHONIOENCODING=utf-16` answer what nobody reads.
 */
export function plainPython(): NodeJS.ProcessEnv {
  return { ...process.env, ...without(/^PYTHON/) };
}

/**
 * What takes the same from a process that installs packages: where to is said here; where from stays the user's
 * (pypa/pip#8977). uv ends at once where its folder or settings file is not there.
 */
export function installHere(): Record<string, string | undefined> {
  const settings = process.env["UV_CONFIG_FILE"];
  return {
    ...without(/^PYTHON|^PIP_(TARGET|PREFIX|ROOT)$|^UV_(WORKING_DIR|PROJECT)$/),
    PIP_USER: "0",
    ...(settings === undefined || existsSync(settings) ? {} : { UV_CONFIG_FILE: undefined }),
  };
}

function without(names: RegExp): Record<string, undefined> {
  const theirs = Object.keys(process.env).filter((name) => names.test(name));
  return Object.fromEntries(theirs.map((name) => [name, undefined]));
}

/** The user's proxy is for the world outside: the services of this machine are asked without it. */
export function withoutProxy(): Record<string, string> {
  const theirs = process.env["NO_PROXY"] ?? process.env["no_proxy"];
  const hosts = [...(theirs ? [theirs] : []), localHost, "localhost"].join(",");
  return { NO_PROXY: hosts, no_proxy: hosts };
}
