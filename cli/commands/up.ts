import colors from "picocolors";

import { createCluster, offerCluster } from "../cluster/create";
import type { Consent } from "../consent";
import { askModels } from "../deploy/answers";
import { openEnvironments } from "../deploy/environments";
import { behindSilence } from "../deploy/network";
import { allowIsForClusters } from "../deploy/policies";
import { summarise } from "../deploy/summary";
import { deploy } from "../deploy/up";
import { behindError } from "../deploy/watch";
import { frontendService, serviceAt } from "../cluster/services";
import { killEngines } from "../engine/command";
import { UserError } from "../errors";
import { onInterruption, stopMilliseconds } from "../interruption";
import { decidingOf } from "../registry/deciding";
import { type LocalUpOptions, killServices, upLocal } from "../local/up";
import { killRunning } from "../process";
import { Progress } from "../progress";
import {
  type ClusterTarget,
  type LocalTarget,
  type TargetOptions,
  chooseTarget,
  clusterTitles,
} from "../target";

/** Options of `npm run up`. */
export interface UpOptions extends LocalUpOptions, TargetOptions, Consent {
  /** Creates a cluster on this machine where none may be used. @default asked for on a terminal */
  readonly createCluster?: boolean;
  /** Looks for what was deleted or changed by hand, and puts it back. @default true */
  readonly refresh?: boolean;
  /** Names of the rules that may be broken. @default none */
  readonly allow?: readonly string[];
  readonly json?: boolean;
}

/**
 * `npm run up`: chooses the target and brings it up; it ends with a prediction.
 *
 * @throws UserError a step failed, or it was told to stop before all was up.
 */
export async function up(options: UpOptions): Promise<void> {
  const progress = Progress.for(options);
  let here = false;
  const interruption = onInterruption(() => {
    // What of the local target runs is nothing to a cluster.
    if (here) killServices();
    else killEngines();
    killRunning();
  });
  interruption.within(stopMilliseconds);
  try {
    const target = await targetOf(options, progress, interruption.signal);
    here = target.kind === "local";
    announce(target, progress);
    if (target.kind === "local" && options.allow !== undefined) throw new UserError(allowIsForClusters);
    if (target.kind === "local") await upLocal(options, progress, interruption);
    else await upCluster(target, options, progress, interruption.signal);
  } finally {
    progress.stop();
    interruption.dispose();
  }
}

async function upCluster(
  target: ClusterTarget,
  { data, dataCopy = true, models, frontend: wanted = true, refresh = true, allow, ...consent }: UpOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  if (data !== undefined)
    throw new UserError(
      `--data is for the local target. In a cluster the stack says which data a model is trained on: ` +
        `models[].training.data in Pulumi.${target.stack}.yaml.`,
    );
  if (!dataCopy)
    throw new UserError(
      `--no-data-copy is for the local target. In a cluster the stack says whether a copy is kept: ` +
        `models[].training.keepData: false in Pulumi.${target.stack}.yaml.`,
    );
  if (models !== undefined)
    throw new UserError(
      `--models is for the local target. In a cluster the stack says which models there are: Pulumi.${target.stack}.yaml.`,
    );
  if (!wanted)
    throw new UserError(
      "--no-frontend is for the local target. In a cluster the stack says whether there is the page: " +
        `frontend: {enabled: false} in Pulumi.${target.stack}.yaml.`,
    );
  const began = Date.now();
  try {
    await openEnvironments(target.stack, progress, signal);
    const deciding = await decidingOf(target, progress);
    await deciding?.before();
    let deployed = await deploy(target, { refresh, consent, allow }, progress, signal);
    // On an empty cluster there was no registry to ask before; and a training may have made another version the champion.
    // What the first run has looked at it has put right.
    if ((await deciding?.after()) === true)
      deployed = await deploy(target, { refresh: false, consent, allow }, progress, signal);
    const answers = await askModels(target.cluster, progress).catch(async (error: unknown) => {
      throw await behindError(target.cluster, error);
    });
    await deciding?.record();
    const frontend = (await serviceAt(target.cluster, frontendService)) !== undefined;
    progress.stop();
    summarise(target, deployed, { answers, frontend }, (Date.now() - began) / 1000, progress);
  } catch (error) {
    throw await behindSilence(target, error, progress, signal);
  }
}

/** The target, in a cluster that is created for it if that is wanted. */
async function targetOf(
  options: UpOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<ClusterTarget | LocalTarget> {
  const { createCluster: wanted = false, ...rest } = options;
  const found = await chooseTarget(wanted ? { ...rest, target: undefined } : rest);
  if (found.kind === "cluster" || options.target === "local") return found;
  const tool = wanted ? undefined : options.json === true ? undefined : await offerCluster(signal);
  if (!wanted && tool === undefined) return found;
  const context = await progress.step("cluster", async (step) => {
    const name = await createCluster(step, signal, tool);
    step.detail(`context ${name}`);
    return name;
  });
  return chooseTarget({ ...rest, target: "cluster", context });
}

/** Says which target is taken, and why. */
function announce(target: ClusterTarget | LocalTarget, progress: Progress): void {
  const { reason } = target;
  if (target.kind === "local") {
    progress.event({ event: "target", target: "local", reason });
    progress.say(`${colors.bold("Target: local")}, the platform as processes of this machine: ${reason}.\n`);
    return;
  }
  const { stack, context, version } = target;
  progress.event({ event: "target", target: "cluster", stack, context: context.name, version, reason });
  progress.say(
    `${colors.bold(`Target: stack ${stack} in ${context.name}`)} (${clusterTitles[context.kind]}, Kubernetes ` +
      `${version}): ${reason}.\n`,
  );
}
