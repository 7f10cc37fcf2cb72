/** What a Python environment was installed from, and whether it is so yet. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";

import { readText } from "../config/readText";
import { writeWhole } from "./wholeFile";

const execute = promisify(execFile);

/** What an environment was installed from, written into it when it is complete. */
export interface Installed {
  readonly lock: string;
  readonly python: string;
  /** Digest of the names of what was installed; environments of before have none. */
  readonly contents?: string;
}

/** Whether an environment is as it was installed: its interpreter may be gone since, or packages be removed. */
export async function isWhole(folder: string, { contents }: Installed): Promise<boolean> {
  if (contents !== undefined && contents !== contentsOf(folder)) return false;
  if (packageFolders(folder).some(lacksFiles)) return false;
  return execute(path.join(folder, "bin", "python"), ["-I", "-c", ""], { timeout: 20_000 }).then(
    () => true,
    () => false,
  );
}

/** Digest of the names of all packages, modules and programs of an environment. */
export function contentsOf(folder: string): string {
  const packages = packageFolders(folder).flatMap(namesIn);
  const names = [...packages, ...namesIn(path.join(folder, "bin"))].filter((name) => name !== "__pycache__");
  return createHash("sha256").update(names.sort().join("\n")).digest("hex").slice(0, 16);
}

function packageFolders(folder: string): string[] {
  const lib = path.join(folder, "lib");
  return namesIn(lib).map((python) => path.join(lib, python, "site-packages"));
}

/**
 * Whether a file of a package is gone, or shorter than it was: each package has a list of its own, `RECORD`. Longer it may
 * be: people add their certificates to certifi's.
 */
function lacksFiles(packages: string): boolean {
  const lists = namesIn(packages).filter((name) => name.endsWith(".dist-info"));
  return lists.some((list) => {
    const record = path.join(packages, list, "RECORD");
    if (sizeOf(record) < 1) return true;
    return [...readText(record).matchAll(/^("?)(.+)\1,[^,\n]*,(\d+)\r?$/gm)].some(
      ([, , file = "", size]) => !file.endsWith(".pyc") && sizeOf(path.join(packages, file)) < Number(size),
    );
  });
}

/** -1 of what is not there. */
function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? -1;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

export function readMark(folder: string): Installed | undefined {
  try {
    return JSON.parse(readText(path.join(folder, ".installed.json"))) as Installed;
  } catch {
    return undefined;
  }
}

export function writeMark(folder: string, installed: Installed): void {
  writeWhole(path.join(folder, ".installed.json"), JSON.stringify(installed));
}
