/** Another version of a model comes into service of a cluster: what `promote` and `rollback` have in common. */
import type { Decision } from "../../../config/lock";
import { commandLine } from "../../commandLine";
import type { Consent } from "../../consent";
import { type Question, questionFor } from "../../deploy/question";
import { UserError } from "../../errors";
import type { ModelVersion } from "../../mlflow";
import { shown } from "../../paths";
import type { Progress } from "../../progress";
import { type Means, type Move, bring } from "./bringing";
import { point } from "./alias";
import { difference, isSameVersion } from "../difference";
import { keepInService } from "../keepInService";
import { decisionsIn, rewriteLock } from "../lockFile";
import { confirm, servingInstead } from "./meanwhile";
import type { Trial } from "./canary/trial";
import { record } from "./record";
import { type Scene, decisionBefore, decisionsOf, isServed, toldToServe } from "./scene";
import { allWishes } from "../update";
import { type Pace, mayServe, watch } from "./watching";

/** How a version is brought into service. */
export interface MovingOptions {
  /** Also what answers otherwise, or what nobody can ask. @default false */
  readonly force?: boolean;
  /** Whether only the lock is to be written, for a branch. */
  readonly branch: boolean;
  readonly consent: Consent;
  /** Has a version tried on a share of the requests before it is promoted. @default it is promoted at once */
  readonly trial?: Trial;
  /** Deploys what stands in the lock. */
  readonly deploy: (consent: Consent) => Promise<unknown>;
  /** How long it is watched. @default {@link Watched.pace} */
  readonly pace?: Pace;
  readonly progress: Progress;
  /** Aborted, with an `Interrupted`, when the user wants to stop. */
  readonly signal: AbortSignal;
}

/** A version on its way into service. */
export interface Moving {
  readonly scene: Scene;
  readonly to: Decision;
  /** What serves until then; undefined if nothing is known. */
  readonly before: ModelVersion | undefined;
}

/** Whether a version is what was decided, serves, and has the alias. */
export function isInService({ what, decisions, versions, predictors }: Scene, to: Decision): boolean {
  return (
    isSameVersion(decisions[what.wish], to) &&
    isServed({ predictors }, to.files) &&
    versions.aliases[what.alias] === String(to.version)
  );
}

/**
 * Sees before anything changes that a version may come into service.
 *
 * @returns what it is to be asked then.
 * @throws UserError another model would go, or nobody could see that it answers right.
 */
export async function checkMove({ scene, to }: Moving, options: MovingOptions): Promise<Question> {
  const { what, target } = scene;
  await keepInService(target, what.config.models, { ...scene.decisions, [what.wish]: to });
  return questionOf(scene, to, options);
}

/**
 * Brings a version into service, from the lock to the registry.
 *
 * @throws UserError it does not come into service; what is in service then, and what to do.
 */
export async function move(moving: Moving, options: MovingOptions): Promise<void> {
  const { scene, to, before } = moving;
  const { consent, progress, signal, pace } = options;
  const { what, target } = scene;
  const question = await checkMove(moving, options);
  const models = allWishes(what.config.models).get(what.wish) ?? [];
  const back = await decisionBefore(scene, before);
  const means: Means = {
    signal,
    deploy: async (way) => {
      // Without a decision of before, what has just been made goes again: of that, and of no more, the user was asked.
      await options.deploy(way === "back" && back === undefined ? { ...consent, yes: true } : consent);
    },
    deployed: ({ files }) => mayServe(target.cluster, files),
    instead: () => servingInstead(scene, to),
    watch: () =>
      progress.step(`answers of ${what.model.name}`, async (step) => {
        if (question.kind === "none") step.skip(`not checked: ${question.reason}`);
        else
          await watch(
            { cluster: target.cluster, models, files: to.files, question, ...(pace && { pace }) },
            step,
            signal,
          );
      }),
    record: () =>
      progress.step("registry", async (step) => {
        step.detail(await tell(moving, progress));
      }),
  };
  const { stack, file, wish } = what;
  const one: Move = { stack, file, model: what.model.name, wish, to, back };
  await bring(one, means, progress);
}

/** What a version is to be asked when it serves. @throws UserError nobody knows, and that was not agreed to. */
async function questionOf(
  { what, target }: Scene,
  { version, files }: Decision,
  { force = false }: MovingOptions,
): Promise<Question> {
  const question = await questionFor(target.cluster, { modelUri: files });
  if (question.kind !== "none" || force) return question;
  throw new UserError(
    `nobody could see that version ${version} of ${what.model.name} answers right: ${question.reason}. Log it with ` +
      `an input example, or take it unseen: ${commandLine("promote", what.stack, what.model.name, version, "--force")}`,
  );
}

/**
 * Tells the registry what serves now: the alias first, by which others choose.
 *
 * @returns what was told, in words.
 * @throws Overtaken another version serves, or was decided on.
 */
export async function tell({ scene, to, before }: Moving, progress: Progress): Promise<string> {
  const { what, registry } = scene;
  const { registered, alias, stack, file, config } = what;
  const { mlflow } = registry;
  const version = String(to.version);
  const wishes = new Set(allWishes(config.models).keys());
  await confirm(scene, to, { moved: false, progress });
  await point(mlflow, { registered, alias, version, wishes });
  // Another command may have come through in between.
  await confirm(scene, to, { moved: true, progress });
  const decisions = [...decisionsOf(what, decisionsIn(file)).values()];
  // By the tags it never ceased to serve: somebody was stopped on the way to another one.
  const stayed = toldToServe(scene)?.version === version;
  const moved =
    stayed || before === undefined ? {} : { moved: { from: Number(before.version), to: to.version } };
  const { begun } = await record(mlflow, registered, { stack, decisions, chosen: to.version, ...moved });
  const already = begun.length === 0 ? ", as was written down" : "";
  return `version ${version} is ${alias}, and serves in ${stack}${already}`;
}

/**
 * Only writes down which version is to serve, for whoever reviews that, and says what to do with it.
 *
 * @throws UserError the lock of this stack is not in git.
 */
export function writeOnly({ scene, to }: Moving, progress: Progress): void {
  const { stack, file, model, wish, config } = scene.what;
  if (config.environment === "dev")
    throw new UserError(
      `the lock of stack ${stack} is not in git, as that of no stack of environment dev: leave --branch out.`,
    );
  const now = scene.decisions[wish];
  const changes = difference(now, to);
  const changed = !isSameVersion(now, to);
  if (changed) rewriteLock(file, stack, (all) => ({ ...all, [wish]: to }));
  progress.event({
    event: "lock",
    stack,
    model: model.name,
    version: to.version,
    file: shown(file),
    changes,
    changed,
  });
  progress.say(
    changed
      ? `${model.name} (${wish}): ${changes}\n\nWritten down in ${shown(file)}, and nothing was deployed. Commit it: the ` +
          `preview of that change shows what becomes of the model.\nWhen it is merged: ${commandLine("up", stack)}`
      : `${shown(file)} names version ${to.version} of ${model.name} already. Into service: ${commandLine("up", stack)}`,
  );
}
