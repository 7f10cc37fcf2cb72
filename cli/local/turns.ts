/** Which command may change the local target: an `up`, or one that brings another version into service. */
import { createHash } from "node:crypto";
import { linkSync, mkdirSync, rmSync, writeFileSync } from "node:fs";

import * as z from "zod";

import { readText } from "../../config/readText";
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
    put(command, mine, file);
  } finally {
    rmSync(mine, { force: true });
  }
}

/**
 * Puts this process's file in a place where none of a command is that is at work.
 *
 * @throws UserError there is one.
 */
function put(command: Command, mine: string, place: string): void {
  while (!linked(mine, place)) {
    const found = contentOf(place);
    if (found === undefined) continue;
    const holder = holderIn(found);
    if (holder !== undefined) throw atWork(command, holder);
    // Who may take this one out of the way is decided alike. Two might else: the second what another has put there since.
    const right = `${place}.${createHash("sha256").update(found).digest("hex").slice(0, 8)}`;
    put(command, mine, right);
    try {
      if (contentOf(place) === found) rmSync(place);
    } finally {
      rmSync(right);
    }
  }
}

/** Whether the file is in its place now. A link fails where there is one: of two that come at once, one gets it. */
function linked(file: string, place: string): boolean {
  try {
    linkSync(file, place);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  }
}

function contentOf(file: string): string | undefined {
  try {
    return readText(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
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
