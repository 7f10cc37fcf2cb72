import { existsSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { localDir, readState, runningUp, servicesOf, writeState } from "../local/state";
import { shown } from "../paths";
import { identify, stop } from "../process";
import { Progress } from "../progress";

/** Options of `npm run down`. */
export interface DownOptions {
  /** Remove MLflow's database, the models and the logs too. @default false */
  readonly data?: boolean;
  readonly json?: boolean;
}

/** `npm run down`: stops what runs of the local target, and says which data stay. */
export async function down(options: DownOptions): Promise<void> {
  const progress = Progress.for(options);
  try {
    const keeper = runningUp();
    if (keeper !== undefined) {
      await progress.step("npm run up", async (step) => {
        step.detail(`asking process ${keeper.pid} to stop`);
        process.kill(keeper.pid, "SIGTERM");
        while (identify(keeper.pid)?.started === keeper.started) await sleep(100);
      });
    }
    const services = servicesOf(readState());
    await Promise.all(
      services.map(([name, { identity }]) =>
        progress.step(`${name} server`, async (step) => {
          await stop(identity);
          step.detail("stopped");
        }),
      ),
    );
    if (existsSync(localDir())) writeState({});
    if (keeper === undefined && services.length === 0) progress.say("Nothing was running.");
    if (options.data) {
      rmSync(localDir(), { recursive: true, force: true });
      progress.say(`Removed ${shown(localDir())}: MLflow's database, models and logs.`);
    } else if (existsSync(localDir())) {
      progress.say(
        `Kept ${shown(localDir())}: MLflow's database, models and logs. Remove them with: npm run down -- --data`,
      );
    }
    progress.event({
      event: "down",
      stopped: services.map(([name]) => name),
      dataRemoved: options.data ?? false,
    });
  } finally {
    progress.stop();
  }
}
