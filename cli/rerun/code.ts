/** Finds the code that a run was made by: in the folder at hand, or in a commit of it. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";

import { listed } from "../../config/words";
import { UserError } from "../errors";
import { git } from "../git";
import { fits, pinsOf } from "./libraries";
import type { RunRecord } from "./record";

const execute = promisify(execFile);

type Wanted = Pick<RunRecord, "code" | "libraries" | "training">;

/** Where the code of a run is. */
export interface FoundCode {
  /** Its `ml-app/`. */
  readonly folder: string;
  /** The commit, where it is not the one at hand. */
  readonly commit?: string;
}

/** So many commits are looked at, the newest first. */
const mostCommits = 5_000;
const mostFileBytes = 16 * 1024 * 1024;
const shownFiles = 5;

/**
 * Finds it, with a lock file of the packages that the run had, as far as there is one.
 *
 * @param mlApp the `ml-app/` at hand.
 * @param elsewhere where a copy of a commit may be made.
 * @throws UserError no commit has it; says which files are other.
 */
export async function findCode(mlApp: string, wanted: Wanted, elsewhere: string): Promise<FoundCode> {
  const { code, libraries } = wanted;
  const different = Object.keys(code).filter((file) => nameOf(path.join(mlApp, file)) !== code[file]);
  const isHere = different.length === 0;
  const lock = path.join(mlApp, lockOf(wanted));
  if (isHere && existsSync(lock) && fits(pinsOf(readFileSync(lock, "utf8")), libraries))
    return { folder: mlApp };
  const commit = await commitWith(mlApp, wanted);
  if (isHere && commit?.fits !== true) return { folder: mlApp };
  if (commit === undefined) throw nowhere(different, await lookedAt(mlApp, different));
  mkdirSync(elsewhere);
  const archive = `${elsewhere}.tar`;
  // What is at hand is not touched, and neither are git's own files.
  await need(mlApp, "archive", "--format=tar", `--output=${archive}`, commit.id, ".");
  await execute("tar", ["-xf", archive, "-C", elsewhere]);
  return { folder: elsewhere, commit: commit.id };
}

/** The lock file of a training, from `ml-app/`. */
export function lockOf({ training }: Pick<RunRecord, "training">): string {
  return `${training}/train/requirements.txt`;
}

/** git's name of a file's content; undefined where there is no such file, or one that no training has. */
function nameOf(file: string): string | undefined {
  const facts = statSync(file, { throwIfNoEntry: false });
  if (facts?.isFile() !== true || facts.size > mostFileBytes) return undefined;
  const content = readFileSync(file);
  return createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
}

/** A commit with the code, and whether its lock file fits too; the first that does, else the first. */
async function commitWith(
  mlApp: string,
  wanted: Wanted,
): Promise<{ readonly id: string; readonly fits: boolean } | undefined> {
  const { code, libraries } = wanted;
  const files = Object.keys(code);
  const lock = lockOf(wanted);
  const commits = await commitsOf(mlApp, [...files, lock]);
  let first: string | undefined;
  // One process for all: "COMMIT:./FILE" is looked up from the folder.
  for (let from = 0; from < commits.length; from += 100) {
    const some = commits.slice(from, from + 100);
    const asked = some.flatMap((commit) => files.map((file) => `${commit}:./${file}`));
    const told = await gitAt(mlApp, ["cat-file", "--batch-check=%(objectname)"], `${asked.join("\n")}\n`);
    const names = told?.split("\n") ?? [];
    const found = some.filter((_, index) =>
      files.every((file, place) => names[index * files.length + place] === code[file]),
    );
    for (const one of found) {
      const id = (await gitAt(mlApp, ["rev-parse", `${one}^{commit}`]))?.trim();
      const text = await gitAt(mlApp, ["cat-file", "blob", `${one}:./${lock}`]);
      if (id !== undefined && text !== undefined && fits(pinsOf(text), libraries)) return { id, fits: true };
      first ??= id;
    }
  }
  return first === undefined ? undefined : { id: first, fits: false };
}

/**
 * The commits that have changed files, the newest first: of branches and tags, which somebody here has taken in, and not of
 * pull requests that were only looked at.
 */
async function commitsOf(mlApp: string, files: readonly string[]): Promise<readonly string[]> {
  const from = ["HEAD", "--branches", "--tags", "--remotes"];
  const told = await gitAt(mlApp, ["rev-list", ...from, `--max-count=${mostCommits}`, "--", ...files]);
  return (told ?? "").split("\n").filter((commit) => commit !== "");
}

/** What git knows of files here, for whoever looks for others. */
interface Looked {
  /** Whether it has a history at all. */
  readonly history: boolean;
  /** How many commits have changed them. */
  readonly commits: number;
  /** Whether only the last commits have been fetched, as in most CI. */
  readonly shallow: boolean;
}

async function lookedAt(mlApp: string, files: readonly string[]): Promise<Looked> {
  const head = await gitAt(mlApp, ["rev-parse", "HEAD"]);
  const shallow = await gitAt(mlApp, ["rev-parse", "--is-shallow-repository"]);
  const commits = (await commitsOf(mlApp, files)).length;
  return { history: head !== undefined, commits, shallow: shallow?.trim() === "true" };
}

function nowhere(different: readonly string[], { history, commits, shallow }: Looked): UserError {
  const more = different.length - shownFiles;
  const names = [
    ...different.slice(0, shownFiles).map((file) => `ml-app/${file}`),
    ...(more > 0 ? [`${more} more`] : []),
  ];
  const missing = `the code of this run is not here: ${listed(names)} ${different.length === 1 ? "was" : "were"} other then`;
  if (!history)
    return new UserError(
      `${missing}, and git knows no commit here. Run this in a clone that git may read: git log -1 says what it lacks.`,
    );
  const counted = commits === 1 ? "the one commit that has" : `any of the ${commits} commits that have`;
  const looked = commits === 0 ? "no commit here has changed them" : `not in ${counted} changed them`;
  const mend = shallow
    ? "This clone has only the last commits. Fetch the others: git fetch --unshallow --tags."
    : "Fetch what other clones have: git fetch --all --tags. If it was never committed, it is gone.";
  return new UserError(`${missing}, and ${looked}. ${mend}`);
}

/** @throws UserError git fails, or is not here. */
async function need(cwd: string, ...args: string[]): Promise<void> {
  if ((await gitAt(cwd, args)) === undefined)
    throw new UserError(
      `git ${args[0] ?? ""} has failed in ${cwd}: is there room for temporary files, and does git trust this folder?`,
    );
}

/** A hook of git's names its own repository by these, whatever folder is asked about. */
const ofHooks = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];

/** Asks git about the repository that a folder is in. */
function gitAt(cwd: string, args: readonly string[], input?: string): Promise<string | undefined> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofHooks.includes(name)));
  return git(cwd, args, input, env);
}
