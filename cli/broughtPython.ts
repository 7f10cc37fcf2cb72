/** A Python that uv brings, where none that fits is on this machine: a build of its own, whose digest uv knows. */
import * as path from "node:path";

import { UserError, messageOf } from "./errors";
import type { Interpreter } from "./interpreter";
import { homeDir } from "./paths";
import { run } from "./process";
import type { Step } from "./progress";
import { installHere } from "./surroundings";

/**
 * Has uv bring a Python, or finds the one that it has brought.
 *
 * @param uv its program.
 * @param versions such as `3.12`, the best first; a mirror may not have all.
 * @throws UserError it cannot; with uv's own reason.
 */
export async function bringPython(
  uv: string,
  versions: readonly string[],
  step: Step,
  signal: AbortSignal,
): Promise<Interpreter> {
  const reasons: string[] = [];
  for (const version of versions)
    try {
      return await bring(uv, version, step, signal);
    } catch (error) {
      signal.throwIfAborted();
      reasons.push(messageOf(error));
    }
  throw new UserError(`uv could not bring one: ${reasons[0] ?? ""}`);
}

async function bring(uv: string, version: string, step: Step, signal: AbortSignal): Promise<Interpreter> {
  const name = `Python ${version} by uv`;
  const log = path.join(homeDir(), "logs", `python-${version}.log`);
  const env = { ...installHere(), UV_PYTHON_INSTALL_DIR: path.join(homeDir(), "python") };
  const ask = (file: string, ...args: string[]) =>
    // Where the user stands, uv may find settings.
    run({ name, file, args, env, log, cwd: homeDir(), passing: true }, signal, (line) => {
      step.detail(line);
    });
  step.detail(`there is no Python ${version} here: uv fetches one`);
  await ask(uv, "python", "install", version, "--no-bin", "--no-registry");
  const how = ["--managed-python", "--no-project", "--no-python-downloads"];
  const file = (await ask(uv, "python", "find", version, ...how)).trim();
  const full = await ask(file, "-I", "-c", "import platform; print(platform.python_version())");
  return { file, version: full.trim() };
}
