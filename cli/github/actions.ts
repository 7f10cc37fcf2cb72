/** What `npm run github` does. */
export const githubActions = ["comment", "report", "propose"] as const;
export type GithubAction = (typeof githubActions)[number];

/** Its options; which of them are needed, the action says. */
export interface GithubOptions {
  readonly pull?: number;
  readonly title?: string;
  readonly label?: string;
  readonly commit?: readonly string[];
  readonly branch?: string;
  readonly base: string;
}
