import { type Repository, type Written, asked, bounded } from "./repository";

/** A change that a workflow proposes. */
export interface Proposal {
  /** The branch that has it, pushed already. */
  readonly branch: string;
  readonly base: string;
  readonly title: string;
  readonly text: string;
}

/** Opens a pull request of a branch, or renews what the open one says. @returns its address. */
export async function putPull(
  { api, owner, repo }: Repository,
  { branch, base, title, text }: Proposal,
): Promise<string> {
  const { data } = await asked(
    "tell the pull requests",
    api.rest.pulls.list({ owner, repo, head: `${owner}:${branch}`, base, state: "open" }),
  );
  const [open] = data;
  const written = await asked<Written>(
    "take the pull request",
    open === undefined
      ? api.rest.pulls.create({ owner, repo, head: branch, base, title, body: bounded(text) })
      : api.rest.pulls.update({ owner, repo, pull_number: open.number, title, body: bounded(text) }),
  );
  return written.data.html_url;
}
