/** Stacks by their whole names, as Pulumi has them: `organisation/project/stack`. */
import { UserError } from "../errors";
import type { Backend } from "./backend";
import { project } from "../paths";

/** The organisations of the stacks that were asked for by their whole names, by stack. */
const organisations = new Map<string, string>();

/** The one that a backend has that is a folder or a bucket. */
const only = "organization";

/**
 * The stack's own name, of one that may be whole. The rest is kept for the engine.
 *
 * @throws UserError it is of another project, or no name at all.
 */
export function ownName(whole: string): string {
  const parts = whole.split("/");
  const stack = parts.at(-1) ?? "";
  organisations.delete(stack);
  if (parts.length === 1) return whole;
  const [organisation = "", ofProject = project] = parts.slice(0, -1);
  if (parts.length > 3 || parts.includes(""))
    throw new UserError(
      `--stack: ${whole} is neither STACK nor ORGANISATION/STACK nor ORGANISATION/PROJECT/STACK.`,
    );
  if (ofProject !== project)
    throw new UserError(`--stack: ${whole} is a stack of project ${ofProject}, and this one is ${project}.`);
  organisations.set(stack, organisation);
  return stack;
}

/**
 * A stack as the engine is to look for it in a backend.
 *
 * @throws UserError it was asked for in an organisation, and the backend has none.
 */
export function referenceOf(stack: string, { url }: Pick<Backend, "url">): string {
  const organisation = organisations.get(stack);
  if (organisation === undefined) return stack;
  // Pulumi's service, its own or one's own; without an address the one that the CLI is logged in to.
  if (url === "" || /^https?:/.test(url)) return `${organisation}/${project}/${stack}`;
  if (organisation !== only)
    throw new UserError(
      `--stack: there is no organisation ${organisation} in ${url}, which has none: write ${stack} alone.`,
    );
  return stack;
}
