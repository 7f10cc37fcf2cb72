import { execFile } from "node:child_process";

import { UserError } from "./errors";

/** Nothing that is asked for comes near it. */
const largestBytes = 256 * 1024 * 1024;

/**
 * Asks git.
 *
 * @param cwd the folder that it is asked about.
 * @param input what it reads. @default nothing
 * @param env its variables. @default those of this process
 * @returns what it says; undefined if it fails.
 * @throws UserError it is not here.
 */
export async function git(
  cwd: string,
  args: readonly string[],
  input = "",
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
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
