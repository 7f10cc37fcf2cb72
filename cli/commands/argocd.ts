import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";

import { Command, CommanderError } from "commander";

import { differences, filesOf, first, mark, writeFiles } from "../argocd/files";
import { type ArgocdOptions, lineOf, withArgocd, wordsOf } from "../argocd/options";
import { type Known, requestOf } from "../argocd/request";
import { UserError } from "../errors";
import { projectDir, shown, typed } from "../paths";
import { stackNames } from "../plan/stackFiles";
import { readYamlFile } from "../yamlFile";

/**
 * `npm run argocd`: makes the files by which Argo CD and the Pulumi Kubernetes Operator bring stacks up.
 *
 * @returns the exit code: 1 with `--check`, a file is not what its line makes.
 * @throws UserError with all that is wrong with what it was told.
 */
export async function argocd(options: ArgocdOptions): Promise<number> {
  const folder = typed(options.out);
  const meant = options.check === true ? { ...recorded(folder), check: true, out: options.out } : options;
  const inRepository = path.relative(projectDir, folder).split(path.sep).join("/");
  if (inRepository === "")
    throw new UserError(`--out: ${shown(folder)} is the repository itself: name a folder in it.`);
  if (inRepository.startsWith(".."))
    throw new UserError(
      `--out: ${shown(folder)} is not in the repository, from which Argo CD takes the files.`,
    );
  if (!/^[\w./@+-]+$/.test(inRepository))
    throw new UserError(
      `--out: ${shown(folder)} has a character in it that the line in the files cannot carry: take letters, digits, dots, dashes and slashes.`,
    );
  const line = lineOf({ ...meant, out: inRepository });
  const files = filesOf(await requestOf(meant, stackNames(), knownOf), line, inRepository);
  if (meant.check === true) {
    const found = differences(folder, files);
    for (const one of found) process.stdout.write(`✗ ${shown(folder)}/${one}\n`);
    process.stdout.write(found.length === 0 ? `All is as it is made by: ${line}\n` : `Mend it: ${line}\n`);
    return found.length === 0 ? 0 : 1;
  }
  writeFiles(folder, files);
  process.stdout.write(
    `Made: ${[...files.keys()].map((file) => `\n  ${shown(path.join(folder, file))}`).join("")}\n` +
      "Commit them. Who applies what, and which Secrets there have to be: docs/argo-cd.md\n",
  );
  return 0;
}

/** What is to be known of a stack that its file says. @throws UserError the file is wrong. */
async function knownOf(stack: string): Promise<Known> {
  const { planOf } = await import("../plan/plan.js");
  const { config = {}, ...settings } = readYamlFile(path.join(projectDir, `Pulumi.${stack}.yaml`)).content;
  return { plan: await planOf(stack), config: config as Known["config"], settings };
}

/** What the files in the folder were made with. @throws UserError there are none. */
function recorded(folder: string): ArgocdOptions {
  const file = path.join(folder, first);
  if (!existsSync(file))
    throw new UserError(`--check: ${shown(file)} is not there: run \`npm run argocd\` without --check.`);
  const [line = ""] = readFileSync(file, "utf8").split("\n", 1);
  if (!line.startsWith(mark))
    throw new UserError(
      `--check: ${shown(file)} does not say what it was made by: run \`npm run argocd\` without --check.`,
    );
  try {
    return withArgocd(new Command())
      .exitOverride()
      .configureOutput({ writeErr: () => undefined })
      .allowExcessArguments(false)
      .parse(wordsOf(line), { from: "user" })
      .opts<ArgocdOptions>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const why = error.message.replace(/^error: /, "").replace(/\.$/, "");
    throw new UserError(
      `--check: the line in ${shown(file)} is none of \`npm run argocd\`: ${why}. Run the command again without --check.`,
    );
  }
}
