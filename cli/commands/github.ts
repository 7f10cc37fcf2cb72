import { readText } from "../../config/readText";
import { listed } from "../../config/words";
import { UserError, messageOf } from "../errors";
import type { GithubAction, GithubOptions } from "../github/actions";
import { commitTo } from "../github/commit";
import { putComment, pullOf } from "../github/comments";
import { putReport } from "../github/issues";
import { putPull } from "../github/pulls";
import { repository } from "../github/repository";
import { shown, typed } from "../paths";
import { systemFailure } from "../systemFailure";
import { storedComment } from "../review/stored";

/**
 * `npm run github -- comment FILE`: puts a review, as `npm run review -- --json` has written it, under a pull request, in
 * place of the one before. Which one, its number says, or the run of the workflow that has made the review, by the variables `HEAD_OWNER`, `HEAD_BRANCH`, `HEAD_COMMIT`.
 * `npm run github -- report FILE`: one issue for what a scheduled run has found; an empty file closes it.
 * `npm run github -- propose FILE`: commits what has changed of some files to a branch, and opens its pull request.
 *
 * @throws UserError an option or a variable is missing, or git or GitHub refuses.
 */
export async function github(action: GithubAction, file: string, options: GithubOptions): Promise<void> {
  const text = textOf(file);
  const say = { comment, report, propose }[action];
  process.stdout.write(`${await say(text, options)}\n`);
}

async function comment(written: string, { pull }: GithubOptions): Promise<string> {
  const head = pull === undefined ? headOf(process.env) : undefined;
  const { text, base } = storedComment(written);
  const where = await repository();
  const number = head === undefined ? pull : await pullOf(where, head, base);
  return number === undefined
    ? "The pull request is closed, or has another commit by now: nothing was written."
    : putComment(where, number, text);
}

function headOf({ HEAD_OWNER: owner, HEAD_BRANCH: branch, HEAD_COMMIT: commit }: NodeJS.ProcessEnv) {
  if (!owner || !branch || !commit)
    throw new UserError("--pull is missing, and HEAD_OWNER, HEAD_BRANCH and HEAD_COMMIT do not name a run.");
  return { owner, branch, commit };
}

async function report(text: string, options: GithubOptions): Promise<string> {
  const { title, label } = needed(options, ["title", "label"]);
  const found = text.trim() === "" ? undefined : text;
  return (
    (await putReport(await repository(), { title, label, text: found })) ?? "There is nothing to report."
  );
}

async function propose(text: string, options: GithubOptions): Promise<string> {
  const { title, branch, commit } = needed(options, ["title", "branch", "commit"]);
  const where = await repository();
  return (await commitTo(branch, commit, title))
    ? putPull(where, { branch, title, text, base: options.base })
    : "Nothing has changed: there is nothing to propose.";
}

/** @throws UserError an option is missing; names all that are. */
function needed<K extends keyof GithubOptions>(
  options: GithubOptions,
  keys: readonly K[],
): { readonly [Key in K]: NonNullable<GithubOptions[Key]> } {
  const missing = keys.filter((key) => options[key] === undefined).map((key) => `--${key}`);
  if (missing.length > 0)
    throw new UserError(`${listed(missing)} ${missing.length === 1 ? "is" : "are"} missing.`);
  return options as { readonly [Key in K]: NonNullable<GithubOptions[Key]> };
}

/** @throws UserError there is no such file. */
function textOf(file: string): string {
  try {
    return readText(typed(file));
  } catch (error) {
    throw new UserError(`${systemFailure(error, shown(typed(file))) ?? messageOf(error)}.`);
  }
}
