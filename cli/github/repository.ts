/** GitHub's API, as far as a workflow of this project needs it: https://docs.github.com/en/rest */
import type { Octokit } from "@octokit/rest";

import { UserError } from "../errors";

/** A repository, as whoever has the token may use it. */
export interface Repository {
  readonly owner: string;
  readonly repo: string;
  readonly api: Octokit;
}

/** How long an answer is waited for. */
const answerMilliseconds = 30_000;

/**
 * The repository that a workflow runs for.
 *
 * @param env the variables that GitHub sets, and `GITHUB_TOKEN`, which a workflow has to pass on.
 * @throws UserError one is missing.
 */
export async function repository(env: NodeJS.ProcessEnv = process.env): Promise<Repository> {
  const { GITHUB_TOKEN: auth, GITHUB_REPOSITORY: name = "", GITHUB_API_URL: baseUrl } = env;
  const [owner = "", repo = "", ...more] = name.split("/");
  if (!auth || !owner || !repo || more.length > 0)
    throw new UserError(
      `${auth ? "GITHUB_REPOSITORY" : "GITHUB_TOKEN"} is ${auth ? "no owner/name" : "missing"}: this command runs in a ` +
        "workflow of GitHub's, which sets it (docs/pull-requests.md).",
    );
  const { Octokit: Client } = await import("@octokit/rest");
  const quiet = { debug: silent, info: silent, warn: silent, error: silent };
  const bounded: typeof fetch = (input, init) =>
    fetch(input, { ...init, signal: AbortSignal.timeout(answerMilliseconds) });
  const api = new Client({ auth, log: quiet, request: { fetch: bounded }, ...(baseUrl && { baseUrl }) });
  return { owner, repo, api };
}

/** GitHub takes no longer texts. */
export const mostCharacters = 65_536;

/** A text that GitHub takes; of a longer one the beginning, and that there was more. */
export function bounded(text: string): string {
  const more = "\n\nThere is more: see the log of the run.\n";
  return text.length <= mostCharacters ? text : text.slice(0, mostCharacters - more.length) + more;
}

/** What GitHub has written, as far as it is told. */
export interface Written {
  readonly data: { readonly html_url: string };
}

/** What GitHub answers. @throws UserError it refuses; says what. */
export async function asked<T>(what: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const { status, message } = error as Error & { status?: number };
    const mend = status === 403 || status === 404 ? " Does the workflow's `permissions` allow it?" : "";
    throw new UserError(`GitHub does not ${what}: ${status ?? "no answer"}, ${message}.${mend}`);
  }
}

function silent(): void {
  // Whatever is wrong is said once, by who asked.
}
