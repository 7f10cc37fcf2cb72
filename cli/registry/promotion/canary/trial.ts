/** A version is tried on a share of the requests before it is promoted: written down, deployed, watched, step by step. */
import { setTimeout as sleep } from "node:timers/promises";

import { canaryPredictor, triedAs } from "../../../../config/canary";
import type { Decision, Decisions } from "../../../../config/lock";
import { commandLine } from "../../../commandLine";
import { Interrupted, UserError, messageOf } from "../../../errors";
import { isSame } from "../../difference";
import { decisionsIn, rewriteLock } from "../../lockFile";
import { Overtaken, entryText } from "../meanwhile";
import type { Moving, MovingOptions } from "../moving";
import type { Promotable } from "../promotable";
import { type Scene, alone } from "../scene";
import { mayServe } from "../watching";
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
/** Minutes after which one goes back that nobody can watch: users are on it all the time. */
const mostBlindMinutes = 2;

/** @throws UserError no version of this model can be tried. */
export function triable({ what, decisions }: Pick<Scene, "decisions" | "what">, branch: boolean): void {
  const { stack, model, config, wish } = what;
  const where = `Pulumi.${stack}.yaml`;
  if (branch)
    throw new UserError(
      "--canary watches what is deployed, and --branch, which is what CI does outside of dev, only writes the lock: leave " +
        "one of them out, or say --no-branch.",
    );
  if (decisions[wish] === undefined)
    throw new UserError(
      `nothing of ${model.name} is in service that a version could be tried beside. Promote it without --canary: ` +
        commandLine("promote", stack, model.name),
    );
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
 * @throws Overtaken somebody else has decided meanwhile: nothing is changed any more.
 * @throws UserError the rule of the stack's file has it go back, and it was taken out of service again; or the user wants
 *   to stop, and it stays as it is.
 */
export async function tryOut(moving: Moving, trial: Trial, options: MovingOptions): Promise<void> {
  const { what } = moving.scene;
  const shares = [trial.percent, ...what.model.canary.steps.filter((step) => step > trial.percent)];
  let written = decisionsIn(what.file)[what.wish];
  try {
    for (const percent of shares) {
      confirmLock(moving, written);
      written = writeTrial(moving, percent);
      await options.deploy(options.consent);
      await watchShare(moving, percent, written, trial, options);
    }
    confirmLock(moving, written);
  } catch (error) {
    if (error instanceof Overtaken) throw error;
    const stopped: unknown = options.signal.reason;
    throw stopped instanceof Interrupted
      ? await interrupted(moving, stopped)
      : await goBack(moving, error, options);
  }
}

/** The scene with nothing tried in it: what the lock says again if the promotion at the end of a trial fails. */
export function withoutTrial(scene: Scene): Scene {
  const { what, decisions } = scene;
  const { [what.wish]: now, ...others } = decisions;
  return now === undefined ? scene : { ...scene, decisions: { ...others, [what.wish]: alone(now) } };
}

/**
 * Has the lock say that no version is tried; its decision goes, unless the stack names it by itself.
 *
 * @param version whose trial ends, and no other's. @default whichever is tried
 */
export function endTrial({ wish, registered, file, stack, config }: Promotable, version?: number): void {
  rewriteLock(file, stack, (all) => {
    const { [wish]: now, ...others } = all;
    const ended = version ?? now?.canary?.version;
    if (ended === undefined) return all;
    const tried = triedAs(registered, ended);
    const named = config.models.some((one) => JSON.stringify(one).includes(JSON.stringify(tried)));
    const kept = Object.entries(others).filter(([name]) => named || name !== tried);
    const rest: Decisions = Object.fromEntries(kept);
    if (now === undefined) return rest;
    // Another one, that somebody tries meanwhile, goes on.
    return now.canary !== undefined && now.canary.version !== ended ? all : { ...rest, [wish]: alone(now) };
  });
}

/** @throws Overtaken the lock says something else of the model than this command has found, or written. */
function confirmLock({ scene: { what }, to }: Moving, expected: Decision | undefined): void {
  const now = decisionsIn(what.file)[what.wish];
  if (isSame(now, expected)) return;
  throw new Overtaken(
    `version ${to.version} of ${what.model.name} is not tried any further, as somebody else has decided meanwhile: ` +
      `${entryText(what, now)}. Nothing more was changed. What serves: ${commandLine("status", what.stack)}`,
  );
}

/** @returns what the lock says of the model now. */
function writeTrial({ scene: { what }, to }: Moving, percent: number): Decision | undefined {
  const { wish, registered, file, stack } = what;
  // Of another version that was tried nothing is left.
  if (decisionsIn(file)[wish]?.canary?.version !== to.version) endTrial(what);
  rewriteLock(file, stack, (all) => {
    const now = all[wish];
    if (now === undefined) return all;
    return {
      ...all,
      [wish]: { ...now, canary: { version: to.version, percent } },
      [triedAs(registered, to.version)]: to,
    };
  });
  return decisionsIn(file)[wish];
}

async function watchShare(
  moving: Moving,
  percent: number,
  written: Decision | undefined,
  { look, pace = usualPace }: Trial,
  { progress, signal }: MovingOptions,
): Promise<void> {
  const { scene, to } = moving;
  const { stack, model } = scene.what;
  const rule = model.canary;
  const began = Date.now();
  const enough = rule.minutes * pace.minute;
  let lastSeen = began;
  await progress.step(`${canaryPredictor} of ${model.name} at ${percent} %`, async (step) => {
    for (;;) {
      signal.throwIfAborted();
      const seen = await look(moving).catch((error: unknown) => {
        if (error instanceof Overtaken) throw error;
        step.detail(`cannot be watched now: ${messageOf(error)}`);
        return undefined;
      });
      // Whoever has decided something else meanwhile has been heard; this command says and does nothing to it.
      confirmLock(moving, written);
      const now = Date.now();
      const isOver = now - began >= enough;
      if (seen !== undefined) {
        lastSeen = now;
        step.detail(inWords(seen));
        const { state, reasons } = judge(rule, seen, isOver);
        const isDone = state === "bad" || (state === "well" && isOver);
        if (isDone)
          progress.event({
            ...{ event: "canary", stack, model: model.name, version: to.version, percent },
            ...{ well: state === "well", seen: inWords(seen) },
          });
        if (state === "bad") throw new UserError(reasons.join("; "));
        if (isDone) return;
      }
      if (now - lastSeen >= mostBlindMinutes * pace.minute && seen === undefined)
        throw new UserError("it could not be watched");
      if (now - began >= enough * patience)
        throw new UserError(
          `it got ${seen?.canary.requests ?? 0} requests, too few to judge by (canary.requests: ${rule.requests})`,
        );
      await sleep(pace.pause, undefined, { signal }).catch(() => undefined);
    }
  });
}

async function interrupted(
  { scene: { what, target }, to }: Moving,
  { message, exitCode }: Interrupted,
): Promise<UserError> {
  const { stack, model } = what;
  const signal = message.split(";", 1)[0] ?? "";
  const serves = await mayServe(target.cluster, to.files);
  const state = serves
    ? "It stays in service with its share, which the lock names."
    : "The lock names it, and nothing of it is deployed yet.";
  return new UserError(
    `${signal} while version ${to.version} of ${model.name} was tried. ${state}\n` +
      `  To go on:   ${commandLine("promote", stack, model.name, to.version, "--canary", "PERCENT")}\n` +
      `  To go back: ${commandLine("rollback", stack, model.name)}`,
    exitCode,
  );
}

/** Takes the version out of service again. @returns what there is to say of it. */
async function goBack(
  { scene: { what, target }, to }: Moving,
  error: unknown,
  { deploy, consent, progress }: MovingOptions,
): Promise<unknown> {
  const { stack, model } = what;
  const begin = `version ${to.version} of ${model.name} is not promoted: ${messageOf(error).replace(/\.$/, "")}`;
  endTrial(what, to.version);
  if (!(await mayServe(target.cluster, to.files)))
    return new UserError(`${begin}.\n  Nothing of it was deployed, and the lock is as it was.`);
  progress.warn(`${begin}. Back to what serves alone.`);
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
