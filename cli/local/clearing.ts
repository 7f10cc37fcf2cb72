import { inWords, stop } from "../ownProcesses";
import type { Progress } from "../progress";
import { lead } from "./front/front";
import { leftovers } from "./state";

/** Stops what a killed command has left at work: two would install into one folder, or train at once. */
export async function clearUp(progress: Progress, signal: AbortSignal): Promise<void> {
  const left = leftovers();
  if (left.length === 0) return;
  await progress.step("earlier run", async (step) => {
    step.detail(`was killed; stopping what it has left: ${inWords(left)}`);
    // It may have been about to lead people from one server to another.
    await lead(signal);
    await Promise.all(left.map(stop));
  });
}
