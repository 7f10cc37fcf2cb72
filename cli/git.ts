import { execFile } from "node:child_process";

import { UserError } from "./errors";

/** Nothing that is asked for comes near it. */
const largestBytes = 256 * 1024 * 1024;
/** A hook of git's names its own repository by these. */
const ofHooks = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];

/**
 * Asks git.
 *
 * @param cwd the folder that it is asked about.
 * @param input what it reads. @default nothing
 * @returns what it says; undefined if it fails.
 * @throws UserError it is not here.
 */
export async function git(cwd: string, args: readonly string[], input = ""): Promise<string | undefined> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofHooks.includes(name)));
  return new Promise((resolve, reject) => {
    const options = { cwd, env, encoding: "utf8", maxBuffer: largestBytes } as const;
    const child = execFile("git", args, options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else if (error.code === "ENOENT")
        reject(new UserError("git is not here, which knows what there was before. Install it."));
      else resolve(undefined);
    });
    // It may end before it has read all.
    child.stdin?.on("error", () => undefined).end(input);
  });
}
