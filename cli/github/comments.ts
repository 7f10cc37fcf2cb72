import { UserError } from "../errors";
import { type Repository, type Written, asked, mostCharacters } from "./repository";

/**
 * Puts a comment under a pull request, in place of the one that an earlier run has put there.
 *
 * @param text whose first line marks it: `<!-- … -->`.
 * @returns its address.
 */
export async function putComment(
  { api, owner, repo }: Repository,
  pull: number,
  text: string,
): Promise<string> {
  const [mark = ""] = text.split("\n", 1);
  if (!/^<!-- mlplatform: [a-z]+ -->$/.test(mark) || text.length > mostCharacters)
    throw new UserError("the comment is none that `npm run review` has written.");
  const where = { owner, repo, issue_number: pull };
  const known = await asked(
    "tell the comments",
    api.paginate(api.rest.issues.listComments, { ...where, per_page: 100 }),
  );
  // Whoever quotes the mark in a comment of their own keeps it.
  const own = known.find(({ body = "", user }) => body.startsWith(mark) && user?.type === "Bot");
  const { data } = await asked<Written>(
    "take the comment",
    own === undefined
      ? api.rest.issues.createComment({ ...where, body: text })
      : api.rest.issues.updateComment({ owner, repo, comment_id: own.id, body: text }),
  );
  return data.html_url;
}

/** The commit of a branch, maybe of a fork, as the run of a workflow names it. */
export interface Head {
  readonly owner: string;
  readonly branch: string;
  readonly commit: string;
}

/**
 * The open pull request of a commit. Of a fork's, GitHub does not tell the workflow, and what the fork's own run says of
 * itself is not to be trusted. Of several that have the same commit it is the one for that base.
 *
 * @param base the commit that was compared with.
 * @returns undefined if there is none, or it has moved on: its newer run will say what there is to say.
 */
export async function pullOf(
  { api, owner, repo }: Repository,
  { owner: from, branch, commit }: Head,
  base: string,
): Promise<number | undefined> {
  const { data } = await asked(
    "tell the pull requests",
    api.rest.pulls.list({ owner, repo, head: `${from}:${branch}`, state: "open", per_page: 100 }),
  );
  const own = data.filter(({ head }) => head.sha === commit);
  const [one, ...more] = own.length > 1 ? own.filter(({ base: { sha } }) => sha === base) : own;
  return more.length === 0 ? one?.number : undefined;
}
