import { existsSync } from "node:fs";
import * as path from "node:path";

import { stateHome } from "../config/stateHome";

/** The project's name, which is also the namespace of its configuration. */
export const project = "mlplatform";

/** The project's folder. */
export const projectDir = path.dirname(__dirname);

/** The Python side: the root of its packages. */
export const mlAppDir = path.join(projectDir, "ml-app");

/**
 * Everything that the commands make on this machine: Python environments, data, logs, state.
 * `MLPLATFORM_HOME` moves it.
 */
export function homeDir(): string {
  return stateHome();
}

/** A path as the user has typed it: who may stand in another folder than npm. */
export function typed(file: string): string {
  return path.resolve(process.env["INIT_CWD"] ?? process.cwd(), file);
}

/** A path as the user would type it from where they are. */
export function shown(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative.startsWith("..") ? file : relative || ".";
}

/** What is there and nearest above a file or a folder, given in full: a folder, if a path can lead on from it. */
export function nearestAbove(file: string): string {
  let above = path.dirname(file);
  while (!existsSync(above)) above = path.dirname(above);
  return above;
}
