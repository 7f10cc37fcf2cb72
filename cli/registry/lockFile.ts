import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { stringify } from "yaml";

import { type Decisions, readLock } from "../../config/lock";
import { UserError } from "../errors";
import { shown } from "../paths";

/** What a lock says. @throws UserError it cannot be read. */
export function decisionsIn(file: string): Decisions {
  const { decisions, problems } = readLock(file);
  if (problems.length === 0) return decisions;
  throw new UserError(
    `${shown(file)} cannot be read: ${problems.join("; ")}. Take the file from git again, or remove it and decide anew: ` +
      "npm run models -- update",
  );
}

/** Writes a lock whole, or leaves it as it was. One without decisions is no file. */
export function writeLock(file: string, decisions: Decisions, stack: string): void {
  const names = Object.keys(decisions).sort();
  if (names.length === 0) {
    rmSync(file, { force: true });
    return;
  }
  const head =
    `# Which versions of the registry's models stack ${stack} serves. Written by: npm run models -- update\n` +
    "# Kept in git, the preview of a change to it is the preview of a promotion.\n";
  const text = stringify({ models: Object.fromEntries(names.map((name) => [name, decisions[name]])) });
  mkdirSync(path.dirname(file), { recursive: true });
  const partial = `${file}.partial`;
  writeFileSync(partial, head + text);
  renameSync(partial, file);
}
