import { type Repository, type Written, asked, bounded } from "./repository";

/** A finding that a scheduled run reports, as one issue that is open as long as it holds. */
export interface Report {
  readonly title: string;
  /** The label by which it is found again. */
  readonly label: string;
  /** What was found; undefined if nothing was, and the issue is closed. */
  readonly text: string | undefined;
}

/**
 * Opens the issue of a report, updates it, or closes it.
 *
 * @returns its address; undefined if there is nothing to report, and was nothing before.
 */
export async function putReport(
  { api, owner, repo }: Repository,
  { title, label, text }: Report,
): Promise<string | undefined> {
  const { data } = await asked(
    "tell the issues",
    api.rest.issues.listForRepo({ owner, repo, labels: label, state: "open", per_page: 100 }),
  );
  const open = data.find((one) => one.title === title && one.pull_request === undefined);
  if (text === undefined) {
    if (open === undefined) return undefined;
    const closed = {
      owner,
      repo,
      issue_number: open.number,
      state: "closed",
      state_reason: "completed",
    } as const;
    await asked("close the issue", api.rest.issues.update(closed));
    return open.html_url;
  }
  const written = await asked<Written>(
    "take the issue",
    open === undefined
      ? api.rest.issues.create({ owner, repo, title, labels: [label], body: bounded(text) })
      : api.rest.issues.update({ owner, repo, issue_number: open.number, body: bounded(text) }),
  );
  return written.data.html_url;
}
