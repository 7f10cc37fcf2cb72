import type { Engine } from "../engine/engine";
import { revealedConfig } from "../engine/revealed";
import { type Plan, platformConfig } from "../plan/plan";
import { askStores, hasOutsideStores } from "../preflight/stores";
import type { Progress } from "../progress";
import type { ClusterTarget } from "../target";
import { refuse } from "./refusal";

/**
 * Has a pod ask the database and the store that lie outside of the cluster, if any do.
 *
 * @throws UserError with all that is wrong with them.
 */
export async function checkStores(
  target: ClusterTarget,
  { recording }: Plan,
  engine: Engine,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  if (!hasOutsideStores(recording)) return;
  await progress.step("stores outside", async (step) => {
    step.detail("reading the secrets of the configuration");
    const revealed = await revealedConfig(target.stack, engine);
    const config = await platformConfig(target.stack, revealed.config);
    signal.throwIfAborted();
    step.detail("starting a pod that asks them");
    refuse(await askStores(target, config, step, signal), progress);
    step.detail("asked from a pod: they answer, and let in whom they should");
  });
}
