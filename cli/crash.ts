/** How a command ends that could not do its work: with a sentence. The stack is for whoever mends the program. */
import { inspect } from "node:util";
import * as path from "node:path";

import colors from "picocolors";

import { UserError, messageOf, tellMachines } from "./errors";
import { homeDir, shown } from "./paths";
import { systemFailure } from "./systemFailure";
import { writeWhole } from "./wholeFile";

/** Option of every command: the stacks of errors, too. */
export const debugOption = "--debug";

/** Tells of an error, people on standard error and machines on standard output. @returns the exit code. */
export function tell(error: unknown): number {
  const message = error instanceof UserError ? error.message : sentence(error);
  tellMachines(message);
  process.stderr.write(`\n${colors.red("Error:")} ${message}\n`);
  if (process.argv.includes(debugOption)) process.stderr.write(`\n${inspect(error)}\n`);
  return error instanceof UserError ? error.exitCode : 1;
}

function sentence(error: unknown): string {
  const failure = systemFailure(error);
  const log = path.join(homeDir(), "logs", "crash.log");
  const kept = keep(log, error);
  if (failure !== undefined) return `${failure}.`;
  return (
    `this is a fault of the program: ${messageOf(error)}. ` +
    (kept ? `Report it, with ${shown(log)}.` : `The same command with ${debugOption} shows what to report.`)
  );
}

function keep(log: string, error: unknown): boolean {
  const when = `${new Date().toISOString()} npm run ${process.argv.slice(2).join(" ")}`;
  try {
    writeWhole(log, `${when}\nNode ${process.version}, ${process.platform}\n${inspect(error)}\n`);
    return true;
  } catch {
    return false;
  }
}
