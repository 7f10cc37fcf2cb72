import { writeFileSync } from "node:fs";

import { typed } from "../paths";
import { Base } from "../review/base";
import { comment } from "../review/comment";
import { isWrong, reviewOf } from "../review/review";

/** Options of `npm run review`. */
export interface ReviewOptions {
  readonly base: string;
  readonly out?: string;
  readonly json?: boolean;
}

/**
 * `npm run review`: what this branch would do to every stack, as a comment for its pull request. It needs no cluster, no
 * engine and no secret.
 *
 * @returns the exit code: 1 a stack's configuration is wrong, or breaks a mandatory policy.
 * @throws UserError git does not know what to compare with.
 */
export async function review({ base: ref, out, json }: ReviewOptions): Promise<number> {
  const base = await Base.of(ref);
  const reviews = await reviewOf(base);
  const text = json
    ? `${JSON.stringify({ commit: base.commit, stacks: reviews })}\n`
    : comment(reviews, base.commit);
  if (out === undefined) process.stdout.write(text);
  else writeFileSync(typed(out), text);
  return reviews.some(isWrong) ? 1 : 0;
}
