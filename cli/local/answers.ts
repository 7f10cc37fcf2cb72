/** What the own libraries of a model that others have logged answer to its example, for its servers to be compared with. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";

import { answersFile } from "../../config/answers";
import { UserError } from "../errors";
import type { ModelVersion } from "../mlflow";
import { readModelFile } from "../modelFiles";
import type { OpenStep, Step } from "../progress";
import type { Environment } from "../python";
import { localDir } from "./state";
import { modelFile } from "./versionFiles";

const execute = promisify(execFile);

/** A version whose files are on this machine. */
interface Fetched {
  readonly version: ModelVersion;
  readonly environment: Environment;
  /** Folder of its files. */
  readonly files: string;
}

/**
 * Has a version answer the example of its input by its own libraries, and keeps the answers beside its files; where that
 * was done before, they stay.
 *
 * @param otherwise how to do without, to be read behind "or: ".
 * @throws UserError there is no example, or no answer that could be compared; with the way out.
 */
export async function computeAnswers(
  { version: { name, version }, environment, files }: Fetched,
  otherwise: string,
  step: Step,
  signal: AbortSignal,
): Promise<void> {
  const what = `${name} version ${version}`;
  const { recorded, example } = readModelFile(readFileSync(modelFile(files), "utf8"), what);
  if (recorded || existsSync(path.join(files, answersFile))) {
    step.detail(recorded ? "recorded by its training" : "computed before");
    return;
  }
  const none = (reason: string) =>
    new UserError(
      `${what}: there is nothing to compare its answers with: ${reason}. ` +
        `Log it again with input_example=X.head(), or: ${otherwise}`,
    );
  if (example === undefined) throw none("it was logged without an example of its input");
  step.detail("its own libraries answer its example");
  const log = localDir("logs", `${name}.log`);
  const { file, args, env } = environment.module("answers", log, ["standardserver.expected", files]);
  try {
    const { stdout } = await execute(file, args, { env: { ...process.env, ...env }, signal });
    step.detail(stdout.trim());
  } catch (error) {
    signal.throwIfAborted();
    const { stdout = "", stderr = "", message } = error as Error & { stdout?: string; stderr?: string };
    throw none(String([stdout.trim(), stderr.trim().split("\n").at(-1), message].find(Boolean)));
  }
}

/** Computes nothing: the user takes the model as it is, or it has served before. */
export function leaveAnswers(step: OpenStep): Promise<void> {
  step.skip("nothing is computed, as asked for");
  return Promise.resolve();
}
