/** Which Python of this machine makes environments. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { UserError } from "./errors";
import { plainPython } from "./surroundings";

const execute = promisify(execFile);

/** The Python versions that the lock files were made for and the tests run on. */
export const supportedVersions: readonly string[] = ["3.12", "3.11"];

/** Those on which uv can be installed, which needs nothing of Python but its packages' installer. */
export const installerVersions: readonly string[] = [
  ...supportedVersions,
  ...["3.13", "3.14", "3.15", "3.16", "3.10", "3.9"],
];

/** A Python interpreter that can make environments. */
export interface Interpreter {
  readonly file: string;
  readonly version: string;
}

/**
 * Finds a Python that fits.
 *
 * @param wanted an interpreter that the user named: this one or none.
 * @param versions those that fit, the best first. @default those of the lock files
 * @throws UserError there is none; says what was found and how to get one.
 */
export async function findPython(
  wanted?: string,
  versions: readonly string[] = supportedVersions,
): Promise<Interpreter> {
  const candidates = wanted ? [wanted] : [...versions.map((v) => `python${v}`), "python3", "python"];
  const rejected: string[] = [];
  for (const file of candidates) {
    const probe = "import sys, venv, ensurepip; print('%d.%d.%d' % sys.version_info[:3], sys.executable)";
    try {
      const { stdout } = await execute(file, ["-c", probe], { env: plainPython(), timeout: 20_000 });
      const [version = "", executable = file] = stdout.trim().split(/ (.*)/s);
      if (!/^\d+\.\d+\.\d+$/.test(version)) {
        rejected.push(`${file} is no Python`);
        continue;
      }
      if (versions.some((supported) => version.startsWith(`${supported}.`))) {
        return { file: executable, version };
      }
      rejected.push(`${file} is ${version}`);
    } catch (error) {
      const { code, stderr = "" } = error as { code?: unknown; stderr?: string };
      if (code === "ENOENT") continue;
      // That is no fault of this Python: nothing can be started.
      if (["EAGAIN", "EMFILE", "ENFILE", "ENOMEM"].includes(String(code))) throw error;
      const reason = /No module named '?(venv|ensurepip)/.test(stderr)
        ? "has no venv module (on Debian and Ubuntu: apt install python3-venv)"
        : `does not run as Python does (${
            stderr
              .trim()
              .split("\n")
              .findLast((line) => line !== "") ?? String(code)
          })`;
      rejected.push(`${file} ${reason}`);
    }
  }
  if (wanted)
    throw new UserError(
      `the Python that was named cannot be used: ${rejected[0] ?? `there is no program ${wanted}`}. ` +
        `Name one of ${versions.join(" or ")}, or none, to have one found.`,
    );
  const found =
    rejected.length > 0 ? `Found: ${rejected.join("; ")}.` : `Looked for ${candidates.join(", ")}.`;
  throw new UserError(
    `no Python ${versions.join(" or ")} here. ${found}\n` +
      `  Install one (https://www.python.org/downloads/, or your package manager), or name it: --python PATH.`,
  );
}
