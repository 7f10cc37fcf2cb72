import { rmSync } from "node:fs";

import { stringify } from "yaml";

import { type Decisions, readLock, stackOf } from "../../config/lock";
import { commandLine } from "../commandLine";
import { UserError, messageOf } from "../errors";
import { shown } from "../paths";
import { writeWhole } from "../wholeFile";
import type { Updated } from "./update";

/** What a lock says. @throws UserError it cannot be read. */
export function decisionsIn(file: string): Decisions {
  const { decisions, problems } = readLock(file);
  if (problems.length === 0) return decisions;
  throw new UserError(
    `${shown(file)} cannot be read: ${problems.join("; ")}. Take the file from git again, or remove it and decide anew: ` +
      commandLine("models", stackOf(file), "update"),
  );
}

/**
 * Writes a lock whole, or leaves it as it was. One without decisions is no file.
 *
 * @param change says what is to stand there, by what stands there now: somebody may have written since it was read.
 * @throws UserError it cannot be read or written.
 */
export function rewriteLock(file: string, stack: string, change: (now: Decisions) => Decisions): void {
  const decisions = change(decisionsIn(file));
  const names = Object.keys(decisions).sort();
  const head =
    `# Which versions of the registry's models stack ${stack} serves. Written by: npm run models -- update\n` +
    "# Kept in git, the preview of a change to it is the preview of a promotion.\n";
  const text = stringify({ models: Object.fromEntries(names.map((name) => [name, decisions[name]])) });
  try {
    if (names.length === 0) {
      rmSync(file, { force: true });
      return;
    }
    writeWhole(file, head + text);
  } catch (error) {
    throw new UserError(`${shown(file)} cannot be written: ${messageOf(error)}.`);
  }
}

/** Writes down what was decided anew; what others have decided meanwhile stays. */
export function writeDown(
  file: string,
  stack: string,
  { changed, dropped }: Pick<Updated, "changed" | "dropped">,
): void {
  rewriteLock(file, stack, (now) =>
    Object.fromEntries(Object.entries({ ...now, ...changed }).filter(([wish]) => !dropped.includes(wish))),
  );
}
