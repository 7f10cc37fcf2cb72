import { existsSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { type Consent, confirmLoss } from "../consent";
import { forgetStack, removeStack } from "../deploy/down";
import { killEngines } from "../engine/command";
import { keptContext } from "../engine/settings";
import { onInterruption, stopMilliseconds } from "../interruption";
import { leftovers, localDir, readState, servicesOf, writeState } from "../local/state";
import { atWorkNow } from "../local/turns";
import { shown } from "../paths";
import { identify, inWords, stop } from "../ownProcesses";
import { Progress } from "../progress";
import { type TargetOptions, clusterTarget, defaultStack, isLocal } from "../target";

/** Options of `npm run down`. */
export interface DownOptions extends TargetOptions, Consent {
  /** Remove the data too: of the local target, and what staging and prod protect. @default false */
  readonly data?: boolean;
  /** Forget a stack whose cluster is gone for good. @default false */
  readonly forget?: boolean;
  readonly json?: boolean;
}

/**
 * `npm run down`: removes the stack from its cluster if it was brought up from here or is named, and stops what runs
 * on this machine; says which data go and which stay.
 *
 * @throws UserError the stack cannot be removed, or nobody has confirmed it.
 */
export async function down(options: DownOptions): Promise<void> {
  const progress = Progress.for(options);
  const { stack, context, target } = options;
  const named = stack !== undefined || context !== undefined || target === "cluster";
  const deployed = !isLocal(options) && (named || keptContext(defaultStack) !== undefined);
  const interruption = onInterruption(killEngines);
  interruption.within(stopMilliseconds);
  try {
    if (options.forget) {
      await forgetStack(stack ?? defaultStack, options, progress, interruption.signal);
      return;
    }
    if (deployed) await removeStack(await clusterTarget(options), options, progress, interruption.signal);
    if (!named) await stopLocal(options, progress, deployed);
  } finally {
    progress.stop();
    interruption.dispose();
  }
}

/** Stops the processes of this machine. @param quiet a stack was removed: says nothing where nothing runs here. */
async function stopLocal(options: DownOptions, progress: Progress, quiet: boolean): Promise<void> {
  // Of the two, --confirm names the stack: what it does not name stays.
  const removes =
    (options.data ?? false) && existsSync(localDir()) && !(quiet && options.confirm !== "local");
  if (removes) {
    const what = `${shown(localDir())} will be removed: MLflow's database, models and logs.`;
    await confirmLoss(what, "local", options, progress);
  }
  const commands = atWorkNow();
  for (const { command, process: keeper } of commands)
    await progress.step(command, async (step) => {
      step.detail(`asking process ${keeper.pid} to stop`);
      process.kill(keeper.pid, "SIGTERM");
      // One that was halted, by Ctrl-Z, hears nothing before it goes on.
      process.kill(keeper.pid, "SIGCONT");
      while (identify(keeper.pid)?.started === keeper.started) await sleep(100);
    });
  const services = servicesOf(readState());
  await Promise.all(
    services.map(([name, { identity }]) =>
      progress.step(`${name} server`, async (step) => {
        await stop(identity);
        step.detail("stopped");
      }),
    ),
  );
  const left = leftovers();
  await Promise.all(left.map(stop));
  if (existsSync(localDir())) writeState({});
  const idle = commands.length === 0 && services.length + left.length === 0;
  if (idle && quiet && !existsSync(localDir())) return;
  if (left.length > 0) progress.say(`Stopped what a killed command had left behind: ${inWords(left)}.`);
  if (idle) progress.say("Nothing was running on this machine.");
  if (removes) {
    rmSync(localDir(), { recursive: true, force: true });
    progress.say(`Removed ${shown(localDir())}: MLflow's database, models and logs.`);
  } else if (existsSync(localDir())) {
    progress.say(
      `Kept ${shown(localDir())}: MLflow's database, models and logs. Remove them with: npm run down -- --target local --data`,
    );
  }
  progress.event({
    event: "down",
    target: "local",
    stopped: services.map(([name]) => name),
    dataRemoved: removes,
  });
}
