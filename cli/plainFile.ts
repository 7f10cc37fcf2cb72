import { type Stats, accessSync, constants, statSync } from "node:fs";

import { UserError } from "./errors";
import { typed } from "./paths";
import { systemFailure } from "./systemFailure";

/** What a model server takes at most is less. */
export const mostBytesAtOnce = 64 * 1024 * 1024;

/**
 * The path of a file that a user has named: one that is there, may be read and comes to an end. A pipe or a device may not,
 * and whoever waits for it hears no signal.
 *
 * @param option what it was named by, for messages.
 * @param mostBytes how large it may be. @default any size
 * @throws UserError it is something else.
 */
export function plainFile(option: string, name: string, mostBytes = Infinity): string {
  const file = typed(name);
  let facts: Stats;
  try {
    facts = statSync(file);
    accessSync(file, constants.R_OK);
  } catch (error) {
    throw new UserError(`${option}: ${systemFailure(error) ?? `${file} cannot be read`}.`);
  }
  if (facts.isDirectory()) throw new UserError(`${option}: ${file} is a folder. Name a file in it.`);
  if (!facts.isFile()) {
    const kind = facts.isFIFO() ? "pipe" : facts.isSocket() ? "socket" : "device";
    throw new UserError(
      `${option}: ${file} is a ${kind}, which may never end. Write what comes from it into a file, and name that.`,
    );
  }
  if (facts.size > mostBytes)
    throw new UserError(
      `${option}: ${file} has ${facts.size} bytes, and a model takes less than ${mostBytes} at once. Ask with parts of it.`,
    );
  return file;
}
