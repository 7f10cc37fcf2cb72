import { routingFindings } from "../cluster/routing";
import { Interrupted, UserError } from "../errors";
import { imagesOf, mlflowImage } from "../plan/images";
import { recordStack } from "../plan/plan";
import type { Progress } from "../progress";
import type { ClusterTarget } from "../target";
import { explanation } from "./watch";

/** Words of an error about somebody who was not reached. */
const silence =
  /does not answer|no answer|(not|tried to) (be )?reach|refused|timed? ?out|no route|unreachable|name resolution|no name server|not known|translate host|no such host|no endpoints/i;

/** What tells it already. */
const named = /k8s-app=kube-(proxy|dns)/;

/**
 * What a pod finds out of an error that tells of somebody who was not reached: whether the cluster resolves names, and
 * its Services lead anywhere. That it cannot be found out changes nothing.
 */
export async function behindSilence(
  { cluster, stack }: ClusterTarget,
  error: unknown,
  progress: Progress,
  signal: AbortSignal,
): Promise<unknown> {
  if (!(error instanceof UserError) || error instanceof Interrupted || !silence.test(error.message))
    return error;
  if (named.test(error.message)) return error;
  try {
    return await progress.step("names and Services", async (step) => {
      step.detail("starting a pod that asks for them");
      const [finding] = await routingFindings(
        cluster,
        mlflowImage(imagesOf(await recordStack(stack))),
        step,
        signal,
      );
      step.detail(finding?.what ?? "asked from a pod: both lead where they should");
      return finding === undefined
        ? error
        : new UserError(explanation(finding, `${error.message}\n  Behind it`));
    });
  } catch {
    return error;
  }
}
