/** Which command may change the local target: an `up`, or one that brings another version into service. */
import { closeSync, constants, ftruncateSync, mkdirSync, openSync, writeSync } from "node:fs";

import { tryLock } from "fs-native-extensions";
import * as z from "zod";

import { readText } from "../../config/readText";
import { UserError } from "../errors";
import { type ProcessIdentity, identify, ownFolder } from "../ownProcesses";
import { identityShape, localDir } from "./state";

/** The commands; an `up` that has brought all up lets the others at it. */
type Command = "promote" | "up";

// The file may be damaged, or of a version of this program that wrote it otherwise.
const holderShape = identityShape.extend({ folder: z.string(), keeps: z.boolean().default(false) });

/** A command that is at work. */
interface Holder extends ProcessIdentity {
  /** Whether it only keeps up what is there. */
  readonly keeps: boolean;
}

/** A command's turn. */
export interface Turn {
  /** From now on it only keeps up what is there. */
  readonly keep: () => void;
  readonly end: () => void;
}

const fileOf = (command: Command) => localDir(`${command}.lock`);

/** The commands that are at work, or keep the services in the foreground, as they are typed. */
export function atWorkNow(): { readonly command: string; readonly process: ProcessIdentity }[] {
  return (["promote", "up"] as const).flatMap((command) => {
    const holder = holderOf(command);
    return holder === undefined ? [] : [{ command: `npm run ${command}`, process: holder }];
  });
}

/** The `up` that is at work, or keeps the services in the foreground; undefined if there is none. */
export function runningUp(): ProcessIdentity | undefined {
  const holder = holderOf("up");
  return holder && { pid: holder.pid, started: holder.started };
}

function holderOf(command: Command): Holder | undefined {
  const content = contentOf(fileOf(command));
  return content === undefined ? undefined : holderIn(content);
}

function holderIn(content: string): Holder | undefined {
  try {
    const { folder, ...holder } = holderShape.parse(JSON.parse(content));
    // A copy of the project's folder has a copy of the file, too.
    const here = folder === ownFolder() && identify(holder.pid)?.started === holder.started;
    return here ? holder : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Makes this process the only one that changes the local target, until it ends its turn.
 *
 * The system holds the lock, by the file that is open, and ends it with the process however that ends: none is ever left
 * over, and one that is halted keeps its turn, which a lock that counts as left over after a while would lose. What the
 * file says is for others to read.
 *
 * @throws UserError another command is at work.
 */
export function takeTurn(command: Command): Turn {
  const mine = { ...identify(process.pid), folder: ownFolder() };
  const file = lock(command);
  const end = () => {
    ftruncateSync(file);
    closeSync(file);
  };
  tell(file, mine);
  // Both have theirs before they look at the other's: of two that come at once, one at least gives way.
  const other = command === "up" ? holderOf("promote") : holderOf("up");
  if (other !== undefined && !other.keeps) {
    end();
    throw atWork(command === "up" ? "promote" : "up", other);
  }
  const keep = () => {
    tell(file, { ...mine, keeps: true });
  };
  return { keep, end };
}

/** Opens a command's file, locked. @throws UserError another process has it. */
function lock(command: Command): number {
  mkdirSync(localDir(), { recursive: true });
  // Not put in its place anew, as others are: a lock is of the file, and not of its name.
  const file = openSync(fileOf(command), constants.O_RDWR | constants.O_CREAT);
  if (tryLock(file)) return file;
  closeSync(file);
  throw atWork(command, holderOf(command));
}

/** Says in a file that is locked who has it. */
function tell(file: number, holder: object): void {
  const text = JSON.stringify(holder);
  writeSync(file, text, 0);
  ftruncateSync(file, Buffer.byteLength(text));
}

function contentOf(file: string): string | undefined {
  try {
    return readText(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
}

/** @param holder undefined if it has just begun, and has not said who it is. */
function atWork(command: Command, holder: ProcessIdentity | undefined): UserError {
  const who = holder === undefined ? "" : ` (process ${holder.pid})`;
  if (command === "promote")
    return new UserError(
      `another version of a model is just brought into service here${who}. Wait until it is.`,
    );
  return new UserError(
    `another \`npm run up\` is at work here${who}. ` +
      `Use what it has started, or stop it first: Ctrl-C there, or \`npm run down\`.`,
  );
}
