import { allowIsForClusters } from "../deploy/policies";
import { deploy } from "../deploy/up";
import { killEngines } from "../engine/command";
import { UserError } from "../errors";
import { onInterruption, stopMilliseconds } from "../interruption";
import { killComing } from "../local/modelServices";
import { type LocalMove, promoteHere } from "../local/moving/move";
import { clearUp } from "../local/clearing";
import { runningModel } from "../local/state";
import { takeTurn } from "../local/turns";
import { killRunning } from "../process";
import { Progress } from "../progress";
import { lookAt } from "../registry/promotion/canary/look";
import type { MovingOptions } from "../registry/promotion/moving";
import { promoteIn } from "../registry/promotion/promoting";
import { type Scene, sceneOf } from "../registry/promotion/scene";
import { type TargetOptions, isLocal } from "../target";

/** Options of the commands that bring another version into service. */
export interface MoveOptions extends TargetOptions {
  /** Whether only the lock is written, to be committed. @default in CI, where the stack's lock is in git */
  readonly branch?: boolean;
  readonly yes?: boolean;
  /** Names of the rules that may be broken. @default none */
  readonly allow?: readonly string[];
  readonly json?: boolean;
}

/** Options of `npm run promote`. */
export interface PromoteOptions extends MoveOptions {
  /** Share of the requests in percent on which it is tried first. @default it is promoted at once */
  readonly canary?: number;
  /** Also what takes other columns, or what nobody can ask. @default false */
  readonly force?: boolean;
  /** On this machine: also what runs code when it is loaded, of a model that others have logged. @default false */
  readonly allowCode?: boolean;
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
  { force = false, allowCode = false, canary, ...options }: PromoteOptions,
): Promise<void> {
  const trial = canary === undefined ? {} : { trial: { percent: canary, look: lookAt } };
  await withScene(name, options, {
    here: (how) => {
      if (canary !== undefined)
        throw new UserError("--canary is for clusters: on this machine one version serves. Leave it out.");
      return promoteHere(name, version, { ...how, force, allowCode });
    },
    cluster: (scene, how) => promoteIn(scene, version, { ...how, ...trial, force }),
  });
}

/** What brings another version of a model into service, on this machine and in a cluster. */
interface Ways {
  readonly here: (how: LocalMove) => Promise<void>;
  readonly cluster: (scene: Scene, how: MovingOptions) => Promise<void>;
}

/** Finds a model, of this machine if no cluster is named and it runs here, and runs what brings another version into service. */
export async function withScene(name: string, options: MoveOptions, { here, cluster }: Ways): Promise<void> {
  const progress = Progress.for(options);
  const { signal, within, dispose } = onInterruption(() => {
    killEngines();
    killRunning();
    killComing();
  });
  within(stopMilliseconds);
  try {
    if (isHere(name, options)) {
      if (options.branch === true)
        throw new UserError("--branch writes the lock of a stack, and this machine has none: leave it out.");
      if (options.allow !== undefined) throw new UserError(allowIsForClusters);
      const turn = takeTurn("promote");
      try {
        await clearUp(progress, signal);
        await here({ progress, signal });
      } finally {
        turn.end();
      }
      return;
    }
    const scene = await sceneOf(options, name);
    const { yes = false } = options;
    // A pipeline reviews what it deploys: nobody sits there who would have asked for it.
    const reviewed = Boolean(process.env["CI"]) && scene.what.config.environment !== "dev";
    const { branch = reviewed } = options;
    await cluster(scene, {
      ...{ branch, consent: { yes }, progress, signal },
      // What was deleted or changed by hand is for `up` to look for, which takes longer.
      deploy: (consent) =>
        deploy(scene.target, { refresh: false, consent, allow: options.allow }, progress, signal),
    });
  } finally {
    progress.stop();
    dispose();
  }
}

/** Whether a model of this machine is meant: it is asked for, or it runs here and nothing of a cluster is named. */
function isHere(name: string, options: MoveOptions): boolean {
  if (isLocal(options)) return true;
  const named = options.stack !== undefined || options.context !== undefined || options.target === "cluster";
  return !named && runningModel(name) !== undefined;
}
