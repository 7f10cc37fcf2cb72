/** Which command may change the local target: an `up`, or one that brings another version into service. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

import * as z from "zod";

import { UserError } from "../errors";
import { type ProcessIdentity, identify, ownFolder } from "../ownProcesses";
import { writeWhole } from "../wholeFile";
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
  return holderIn(fileOf(command));
}

function holderIn(file: string): Holder | undefined {
  try {
    const { folder, ...holder } = holderShape.parse(JSON.parse(readFileSync(file, "utf8")));
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
 * @throws UserError another command is at work.
 */
export function takeTurn(command: Command): Turn {
  const file = fileOf(command);
  const end = () => {
    if (holderOf(command)?.pid === process.pid) rmSync(file, { force: true });
  };
  const mine = { ...identify(process.pid), folder: ownFolder() };
  hold(command, file, mine);
  // Both have theirs before they look at the other's: of two that come at once, one at least gives way.
  const other = command === "up" ? holderOf("promote") : holderOf("up");
  if (other !== undefined && !other.keeps) {
    end();
    throw atWork(command === "up" ? "promote" : "up", other);
  }
  const keep = () => {
    writeWhole(file, JSON.stringify({ ...mine, keeps: true }));
  };
  return { keep, end };
}

function hold(command: Command, file: string, content: object): void {
  mkdirSync(localDir(), { recursive: true });
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, JSON.stringify(content));
  try {
    const holder = holderOf(command) ?? removeStale(command, mine);
    if (holder !== undefined) throw atWork(command, holder);
    // A link fails where the file exists: of two that come at once, one gets it.
    linkSync(mine, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new UserError(`another \`npm run ${command}\` has just started here.`);
  } finally {
    rmSync(mine, { force: true });
  }
}

/**
 * Takes the file of a command that is gone out of the way.
 *
 * @param mine the file of this process, beside which it is put.
 * @returns whose it is, if another one was quicker and has taken its turn meanwhile; it keeps it.
 */
function removeStale(command: Command, mine: string): Holder | undefined {
  const file = fileOf(command);
  const aside = `${mine}.stale`;
  try {
    renameSync(file, aside);
  } catch {
    return undefined;
  }
  try {
    const holder = holderIn(aside);
    if (holder !== undefined) linkSync(aside, file);
    return holder;
  } finally {
    rmSync(aside, { force: true });
  }
}

function atWork(command: Command, { pid }: ProcessIdentity): UserError {
  if (command === "promote")
    return new UserError(
      `another version of a model is just brought into service here (process ${pid}). Wait until it is.`,
    );
  return new UserError(
    `another \`npm run up\` is at work here (process ${pid}). ` +
      `Use what it has started, or stop it first: Ctrl-C there, or \`npm run down\`.`,
  );
}
