/** A review as JSON, on its way from the run that made it to the one that may write a comment. */
import * as z from "zod";

import { UserError } from "../errors";
import { comment } from "./comment";

/** A commit has more stacks, and a stack more to say, only if somebody has written this who means ill. */
const mostStacks = 100;
const text = z.string().max(2_000_000);

const shape = z.strictObject({
  commit: z.string().regex(/^[0-9a-f]{40,64}$/),
  stacks: z
    .array(
      z.strictObject({
        stack: text,
        fate: z.enum(["kept", "new", "removed"]),
        counts: z.strictObject({ added: z.int().min(0), removed: z.int().min(0), changed: z.int().min(0) }),
        differences: text,
        renewed: z.array(text),
        promotions: z.array(z.strictObject({ models: z.array(text), wish: text, change: text })),
        violations: z.array(
          z.strictObject({ severity: z.enum(["error", "warning"]), what: text, rule: text, resource: text }),
        ),
        problem: text.exactOptional(),
        outdated: z.boolean(),
      }),
    )
    .max(mostStacks),
});

/**
 * The comment of a review that `npm run review -- --json` has written. The run that wrote it had the code of a pull request,
 * which may be anybody's: what is said is taken from it, and how it is rendered from here.
 *
 * @throws UserError it is no review.
 */
export function storedComment(written: string): { readonly text: string; readonly base: string } {
  let content: unknown;
  try {
    content = JSON.parse(written);
  } catch {
    content = undefined;
  }
  const parsed = shape.safeParse(content);
  if (!parsed.success)
    throw new UserError("this is no review as `npm run review -- --json` writes it: nothing was written.");
  const { stacks, commit } = parsed.data;
  return { text: comment(stacks, commit), base: commit };
}
