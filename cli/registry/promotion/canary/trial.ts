/** A version is tried on a share of the requests before it is promoted: written down, deployed, watched, step by step. */
import { setTimeout as sleep } from "node:timers/promises";

import { canaryPredictor, triedAs } from "../../../../config/canary";
import type { Decisions } from "../../../../config/lock";
import { commandLine } from "../../../commandLine";
import { Interrupted, UserError, messageOf } from "../../../errors";
import { decisionsIn, rewriteLock } from "../../lockFile";
import type { Moving, MovingOptions } from "../moving";
import type { Promotable } from "../promotable";
import { type Seen, inWords, judge } from "./rule";

/** How a version is tried. */
export interface Trial {
  /** The first share, in percent. */
  readonly percent: number;
  /** Tells what was seen since the share is what it is. @throws Error somebody cannot be asked now */
  readonly look: (moving: Moving) => Promise<Seen>;
  /** Milliseconds between two looks, and of a minute of the rule. @default five seconds, and a minute */
  readonly pace?: { readonly pause: number; readonly minute: number };
}

const usualPace = { pause: 5_000, minute: 60_000 };
/** How many times as long as it is watched a trial waits for requests. */
const patience = 10;

/** @throws UserError a version of this model cannot be tried: what splits its requests is not the platform's. */
export function triable({ stack, model, config }: Pick<Promotable, "config" | "model" | "stack">): void {
  const where = `Pulumi.${stack}.yaml`;
  if (model.predictors !== undefined)
    throw new UserError(
      `model ${model.name} has predictors of its own in ${where}: change their shares there, or leave them out to ` +
        "have versions tried by --canary.",
    );
  if (config.serving.istio !== undefined)
    throw new UserError(
      `Istio splits the requests of stack ${stack}, and counts them, so that --canary cannot watch: give ${model.name} ` +
        `predictors in ${where}.`,
    );
}

/**
 * Tries a version on growing shares of the requests. It is left at the last of them, to be promoted.
 *
 * @throws UserError the rule of the stack's file has it go back, and it was taken out of service again; or the user wants
 *   to stop, and it stays as it is.
 */
export async function tryOut(moving: Moving, trial: Trial, options: MovingOptions): Promise<void> {
  const { what } = moving.scene;
  const { model } = what;
  const shares = [trial.percent, ...model.canary.steps.filter((step) => step > trial.percent)];
  try {
    for (const percent of shares) {
      writeTrial(moving, percent);
      await options.deploy(options.consent);
      await watchShare(moving, percent, trial, options);
    }
  } catch (error) {
    const stopped: unknown = options.signal.reason;
    throw stopped instanceof Interrupted
      ? interrupted(moving, stopped)
      : await goBack(moving, error, options);
  }
}

/** Has the lock say that no version is tried; its decision goes, unless the stack names it by itself. */
export function endTrial({ wish, registered, file, stack, config }: Promotable): void {
  rewriteLock(file, stack, (all) => {
    const { [wish]: now, ...others } = all;
    if (now?.canary === undefined) return all;
    const { canary, ...decision } = now;
    const tried = triedAs(registered, canary.version);
    const named = config.models.some((one) => JSON.stringify(one).includes(JSON.stringify(tried)));
    const kept = Object.entries(others).filter(([name]) => named || name !== tried);
    return { ...Object.fromEntries(kept), [wish]: decision } satisfies Decisions;
  });
}

function writeTrial({ scene: { what }, to }: Moving, percent: number): void {
  const { wish, registered, file, stack, model } = what;
  // Of another version that was tried nothing is left.
  if (decisionsIn(file)[wish]?.canary?.version !== to.version) endTrial(what);
  rewriteLock(file, stack, (all) => {
    const now = all[wish];
    if (now === undefined)
      throw new UserError(
        `nothing of ${model.name} is in service that a version could be tried beside. Promote it: ` +
          commandLine("promote", stack, model.name, to.version),
      );
    return {
      ...all,
      [wish]: { ...now, canary: { version: to.version, percent } },
      [triedAs(registered, to.version)]: to,
    };
  });
}

async function watchShare(
  moving: Moving,
  percent: number,
  { look, pace = usualPace }: Trial,
  { progress, signal }: MovingOptions,
): Promise<void> {
  const { scene, to } = moving;
  const { stack, model } = scene.what;
  const rule = model.canary;
  const began = Date.now();
  const enough = rule.minutes * pace.minute;
  await progress.step(`${canaryPredictor} of ${model.name} at ${percent} %`, async (step) => {
    for (;;) {
      signal.throwIfAborted();
      const seen = await look(moving).catch((error: unknown) => {
        step.detail(`cannot be watched now: ${messageOf(error)}`);
        return undefined;
      });
      const spent = Date.now() - began;
      const verdict = seen && judge(rule, seen);
      if (seen !== undefined && verdict !== undefined) {
        step.detail(inWords(seen));
        if (verdict.state === "bad" || (verdict.state === "well" && spent >= enough))
          progress.event({
            ...{ event: "canary", stack, model: model.name, version: to.version, percent },
            ...{ well: verdict.state === "well", seen: inWords(seen) },
          });
        if (verdict.state === "bad") throw new UserError(verdict.reasons.join("; "));
        if (verdict.state === "well" && spent >= enough) return;
      }
      if (spent >= enough * patience)
        throw new UserError(
          seen === undefined
            ? "it could not be watched"
            : `it got ${seen.canary.requests} requests, too few to judge by (canary.requests: ${rule.requests})`,
        );
      await sleep(pace.pause, undefined, { signal }).catch(() => undefined);
    }
  });
}

function interrupted({ scene: { what }, to }: Moving, { message, exitCode }: Interrupted): UserError {
  const { stack, model } = what;
  const signal = message.split(";", 1)[0] ?? "";
  return new UserError(
    `${signal} while version ${to.version} of ${model.name} was tried. It stays in service with its share, which the lock ` +
      `names.\n  To go on:   ${commandLine("promote", stack, model.name, to.version, "--canary", "PERCENT")}\n` +
      `  To go back: ${commandLine("rollback", stack, model.name)}`,
    exitCode,
  );
}

/** Takes the version out of service again. @returns what there is to say of it. */
async function goBack(
  { scene: { what }, to }: Moving,
  error: unknown,
  options: MovingOptions,
): Promise<unknown> {
  const { stack, model } = what;
  const { deploy, consent, progress } = options;
  const begin = `version ${to.version} of ${model.name} is not promoted: ${messageOf(error)}`;
  progress.warn(`${begin}. Back to what serves alone.`);
  endTrial(what);
  try {
    // It goes again: of that, and of no more, the user was asked.
    await deploy({ ...consent, yes: true });
  } catch (second) {
    return new UserError(
      `${begin}.\n  The lock names it no more, and that could not be deployed: ${messageOf(second)}\n` +
        `  To go on with that: ${commandLine("up", stack)}`,
    );
  }
  return new UserError(`${begin}.\n  It is out of service again. The registry was told nothing.`);
}
