/** What the own libraries of a model that others have logged answer to its example, for its servers to be compared with. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

import { UserError } from "../errors";
import type { ModelVersion } from "../mlflow";
import { readModelFile } from "../modelFiles";
import type { OpenStep, Step } from "../progress";
import type { Environment } from "../python";
import { localDir } from "./state";
import { modelFile } from "./versionFiles";

const execute = promisify(execFile);
/** How long a model may take for its own example, in milliseconds. */
const longest = 10 * 60_000;
/** What it may print meanwhile. */
const mostBytes = 64 * 1024 * 1024;
const mostCharacters = 500;

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
  if (recorded) {
    step.detail("recorded by its training");
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
  const options = { ...(env && { env }), signal, maxBuffer: mostBytes, timeout: longest };
  try {
    const { stdout } = await execute(file, args, options);
    step.detail(stdout.trim());
  } catch (error) {
    signal.throwIfAborted();
    const { stdout = "", stderr = "", killed = false } = error as Ended;
    if (killed && stdout === "")
      throw none(`they have not answered within ${longest / 60_000} minutes, or print too much`);
    throw none(lastLine(stdout) || lastLine(stderr) || "they end without a word");
  }
}

type Ended = Error & { readonly stdout?: string; readonly stderr?: string; readonly killed?: boolean };

/** What somebody's code has written last, without what would move the terminal's cursor. */
function lastLine(text: string): string {
  const line = text.trim().split("\n").at(-1) ?? "";
  return line.replaceAll(/\p{Cc}/gu, "").slice(0, mostCharacters);
}

/** Computes nothing: the user takes the model as it is, or it has served before. */
export function leaveAnswers(step: OpenStep): Promise<void> {
  step.skip("nothing is computed, as asked for");
  return Promise.resolve();
}
