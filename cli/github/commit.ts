/** Files that a workflow has changed, as a branch to be proposed. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { UserError, messageOf } from "../errors";
import { projectDir } from "../paths";

const execute = promisify(execFile);
/** Who GitHub takes its own workflows for. */
const author = ["github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com"] as const;

/**
 * Commits files to a branch of their own, and pushes it in place of what was there.
 *
 * @param files paths in the project; one may be missing.
 * @returns whether there was something to commit.
 * @throws UserError git refuses; says what.
 */
export async function commitTo(
  branch: string,
  files: readonly string[],
  title: string,
  folder = projectDir,
): Promise<boolean> {
  const git = async (...args: string[]) => {
    try {
      return (await execute("git", args, { cwd: folder, encoding: "utf8" })).stdout;
    } catch (error) {
      const { stderr = "" } = error as { stderr?: string };
      throw new UserError(`git ${args[0] ?? ""} fails: ${stderr.trim() || messageOf(error)}`);
    }
  };
  await git("check-ref-format", `refs/heads/${branch}`);
  const changed = (await git("status", "--porcelain", "--", ...files)).trim() !== "";
  if (!changed) return false;
  const [name, email] = author;
  await git("switch", "--quiet", "--force-create", branch);
  await git("add", "--", ...files);
  await git(
    "-c",
    `user.name=${name}`,
    "-c",
    `user.email=${email}`,
    "commit",
    "--quiet",
    `--message=${title}`,
  );
  await git("push", "--quiet", "--force", "origin", `HEAD:refs/heads/${branch}`);
  return true;
}
