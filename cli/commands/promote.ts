import { deploy } from "../deploy/up";
import { killEngines } from "../engine/command";
import { onInterruption } from "../interruption";
import { Progress } from "../progress";
import type { MovingOptions } from "../registry/promotion/moving";
import { promoteIn } from "../registry/promotion/promoting";
import { type Scene, sceneOf } from "../registry/promotion/scene";
import type { TargetOptions } from "../target";

/** Options of the commands that bring another version into service. */
export interface MoveOptions extends TargetOptions {
  /** Whether only the lock is written, to be committed. @default in CI, where the stack's lock is in git */
  readonly branch?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Options of `npm run promote`. */
export interface PromoteOptions extends MoveOptions {
  /** Also what takes other columns, or what nobody can ask. @default false */
  readonly force?: boolean;
}

/**
 * `npm run promote -- NAME [VERSION]`: brings a version of the registry into service, and says what speaks for it.
 *
 * @param version its number. @default what is ahead of what serves: by the lock, by the alias, or the challenger
 * @throws UserError it was refused, with the way out; or it does not come into service, and what is in service then.
 */
export async function promote(
  name: string,
  version: string | undefined,
  { force = false, ...options }: PromoteOptions,
): Promise<void> {
  await withScene(name, options, (scene, how) => promoteIn(scene, version, { ...how, force }));
}

/** Finds a model of a stack, and runs what brings another version of it into service. */
export async function withScene(
  name: string,
  options: MoveOptions,
  run: (scene: Scene, how: MovingOptions) => Promise<void>,
): Promise<void> {
  const progress = Progress.for(options);
  const { signal, dispose } = onInterruption(killEngines);
  try {
    const scene = await sceneOf(options, name);
    const { yes = false } = options;
    // A pipeline reviews what it deploys: nobody sits there who would have asked for it.
    const reviewed = Boolean(process.env["CI"]) && scene.what.config.environment !== "dev";
    const { branch = reviewed } = options;
    await run(scene, {
      ...{ branch, consent: { yes }, progress, signal },
      // What was deleted or changed by hand is for `up` to look for, which takes longer.
      deploy: (consent) => deploy(scene.target, { refresh: false, consent }, progress, signal),
    });
  } finally {
    progress.stop();
    dispose();
  }
}
