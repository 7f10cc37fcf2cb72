/** What the system refuses, in a sentence: its own errors are a code and the name of a call. */
import { accessSync, constants, statfsSync } from "node:fs";

import { noFile } from "../config/readText";
import { homeDir, nearestAbove } from "./paths";

/** Of the system's codes, what each means and what to do. */
const meanings: Readonly<Record<string, readonly [string, string?]>> = {
  E2BIG: ["its arguments and variables are too long"],
  EACCES: ["you have no right to", "See who owns it, and its mode: ls -ld"],
  EADDRINUSE: ["another program listens there"],
  EAGAIN: ["the system has no more processes or threads to give", "End some, or raise the limit: ulimit -u"],
  EBUSY: ["it is in use"],
  EDQUOT: ["your quota of this disk is used up", "Make room"],
  [noFile]: ["it is a pipe or a device, which may never end, and a file is needed"],
  EEXIST: ["something of this name is there"],
  EIO: ["the disk does not answer as it should"],
  EISDIR: ["it is a folder, and a file is needed"],
  ELOOP: ["its symbolic links lead in a circle"],
  EMFILE: ["too many files are open", "Raise the limit: ulimit -n 4096"],
  ENAMETOOLONG: ["its name is too long"],
  ENFILE: ["too many files are open on this machine"],
  ENOENT: ["there is no such file or folder"],
  ENOEXEC: ["it is no program for this machine"],
  ENOMEM: ["there is no memory left"],
  ENOSPC: ["there is no space left on its disk", "Make room"],
  ENOTDIR: ["a part of its path is a file, and no folder"],
  ENOTEMPTY: ["the folder is not empty"],
  ENXIO: ["it is a device or a pipe that nobody serves"],
  EPERM: ["the system does not permit it"],
  EROFS: ["its disk may only be read"],
  ETXTBSY: ["the program runs"],
  ERR_FS_FILE_TOO_LARGE: ["it has more than 2 GiB, which is too large"],
};

/** Those of whoever writes: where the commands do is for the user to choose. */
const writing = new Set(["EDQUOT", "ENOSPC", "EROFS"]);

/**
 * A failure of the system in sentences, without the last point: what cannot be done, where, why, what to do; undefined if
 * it is none.
 *
 * @param file where it was, if it does not say so itself: Node names no place where it reads or writes what is open.
 */
export function systemFailure(error: unknown, file = "a file"): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code = "", syscall = "", path: at = file, dest = at } = behind(error);
  const meaning = Object.hasOwn(meanings, code) ? meanings[code] : undefined;
  if (meaning === undefined) return undefined;
  const [call, program] = syscall.split(" ", 2);
  if (call === "spawn" || call === "spawnSync")
    return code === "ENOENT"
      ? `the program ${program ?? at} is not here. Install it, or put its folder on the PATH`
      : sentence(program ?? at, "started", code, meaning);
  return sentence(dest, done(call), code, meaning);
}

type Failure = NodeJS.ErrnoException & { readonly dest?: string };

/** Of a folder that cannot be made Node says that it is not there, whatever is wrong with the one that it is to be in. */
function behind(error: Failure): Partial<Failure> {
  if (error.code !== "ENOENT" || error.syscall !== "mkdir" || error.path === undefined) return error;
  const above = nearestAbove(error.path);
  try {
    accessSync(above, constants.W_OK);
    return error;
  } catch (reason) {
    const { code = "", path: at = above } = reason as Failure;
    return { code, path: at, syscall: "mkdir" };
  }
}

function sentence(
  place: string,
  what: string,
  code: string,
  [reason, mend]: readonly [string, string?],
): string {
  const moves = writing.has(code) && place.startsWith(homeDir());
  const ways = [mend, moves ? "MLPLATFORM_HOME names another folder to write in" : undefined];
  return [`${place} cannot be ${what}: ${reason} (${code})`, ...ways.filter((way) => way !== undefined)].join(
    ". ",
  );
}

function done(call: string | undefined): string {
  if (call === "write" || call === "mkdir" || call === "mkdtemp" || call === "ftruncate") return "written";
  if (call === "rename" || call === "link" || call === "symlink" || call === "copyfile")
    return "put in its place";
  if (call === "rm" || call === "rmdir" || call === "unlink") return "removed";
  return call === "read" || call === "scandir" || call === "stat" || call === "lstat" ? "read" : "opened";
}

/** Less is none, for those who write databases and models. */
const leastBytes = 16 * 1024 * 1024;

/** What may be behind any failure of those who write below a folder: its disk is full; undefined if it is not. */
export function fullDisk(folder: string): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize < leastBytes
      ? sentence(folder, "written", "ENOSPC", ["its disk is full", "Make room"])
      : undefined;
  } catch {
    return undefined;
  }
}
