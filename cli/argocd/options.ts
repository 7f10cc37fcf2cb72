/** What `npm run argocd` is told. */
import { Option, type Command } from "commander";

export interface ArgocdOptions {
  readonly stack?: string;
  readonly repository?: string;
  readonly branch?: string;
  readonly backend?: string;
  readonly destination?: string;
  readonly image?: readonly string[];
  readonly gitSecret?: string;
  readonly out: string;
  readonly check?: boolean;
}

/** Where the files are, unless told otherwise: what Argo CD finds in the repository. */
export const defaultFolder = "deploy/argocd";

/** Adds the options to a command: to that of the project, and to one that reads the line in a file. */
export function withArgocd(command: Command): Command {
  return command
    .option(
      "--stack <names>",
      "the stacks, with commas between them; in Pulumi Cloud each as ORGANISATION/STACK",
    )
    .option("--repository <address>", "what the operator clones, https:// or ssh://, without a password")
    .option("--branch <name>", "what is deployed; for each stack its own as staging=main,prod=production")
    .option(
      "--backend <address>",
      "where the state lies, s3://… or Pulumi Cloud's https://…; for each stack its own as staging=s3://…,prod=s3://…",
    )
    .option(
      "--destination <name>",
      "the cluster, by its name in Argo CD; of several stacks each its own as staging=a,prod=b (default: in-cluster)",
    )
    .addOption(
      new Option(
        "--image <name=reference>",
        "an image that the stacks would build; may be given several times",
      ).argParser((image: string, before?: readonly string[]) => [...(before ?? []), image]),
    )
    .option(
      "--git-secret <name>",
      "the Secret with the token or the key for the repository, if it is private",
    )
    .option("--out <folder>", "where the files go", defaultFolder)
    .option("--check", "write nothing; end with 1 where a file is not what its line makes");
}

/** The options as a line of a shell, which makes the same files. No value has a space or a quotation mark in it. */
export function lineOf(options: ArgocdOptions): string {
  const words = [
    ...(["stack", "repository", "branch", "backend", "destination"] as const).map((name) => [
      name,
      options[name],
    ]),
    ...(options.image ?? []).map((image) => ["image", image]),
    ["git-secret", options.gitSecret],
    ["out", options.out === defaultFolder ? undefined : options.out],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`--${String(name)}`, quoted(value)]));
  return `npm run argocd -- ${words.join(" ")}`;
}

/** What {@link lineOf} has made of the options. */
export function wordsOf(line: string): string[] {
  const [, words = ""] = line.split(" -- ");
  return words.split(" ").map((word) => word.replace(/^'(.*)'$/, "$1"));
}

function quoted(value: string): string {
  return /^[\w./:=,@-]+$/.test(value) ? value : `'${value}'`;
}
