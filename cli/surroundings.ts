/** What of the user's shell reaches the processes of this machine, and what does not. */
import { localHost } from "./ports";

/**
 * Variables that would steer the services of this machine from the user's shell. With `MLFLOW_REGISTRY_URI` a training
 * would register its model elsewhere, with `MLFLOW_RUN_ID` write into a run of another's (mlflow/mlflow#18194).
 * `AWS_…` stays: data may be in S3.
 */
const steering =
  /^(_?MLFLOW|DATABRICKS|UVICORN|GUNICORN|FLASK|SELDON|PREDICTIVE_UNIT|PREDICTOR)_|^PYTHON(HOME|USERBASE)$/;

/** What takes those variables out of a process's environment. */
export function withoutSteering(): Record<string, undefined> {
  const theirs = Object.keys(process.env).filter((name) => steering.test(name));
  return Object.fromEntries(theirs.map((name) => [name, undefined]));
}

/** The same for what installs packages: where to is said here; where from stays the user's (pypa/pip#8977). */
export const installHere = {
  PIP_USER: "0",
  ...{ PIP_TARGET: undefined, PIP_PREFIX: undefined, PIP_ROOT: undefined, PYTHONHOME: undefined },
};

/** The user's proxy is for the world outside: the services of this machine are asked without it. */
export function withoutProxy(): Record<string, string> {
  const theirs = process.env["NO_PROXY"] ?? process.env["no_proxy"];
  const hosts = [...(theirs ? [theirs] : []), localHost, "localhost"].join(",");
  return { NO_PROXY: hosts, no_proxy: hosts };
}
