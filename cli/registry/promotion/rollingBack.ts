/** What `rollback` does with a model: finds the version before the one in service, and returns to it. */
import { commandLine } from "../../commandLine";
import { UserError } from "../../errors";
import type { ModelVersion } from "../../mlflow";
import { difference } from "../difference";
import { endTrial } from "./canary/trial";
import { type MovingOptions, move, writeOnly } from "./moving";
import { versionLines } from "./promotable";
import { promotionOf } from "./record";
import { type Scene, decisionBefore, decisionFor, toldToServe } from "./scene";

/**
 * Returns to the version before the one in service.
 *
 * @throws UserError nobody knows which that is, with those that there are; or it does not come into service.
 */
export async function rollBackIn(scene: Scene, options: MovingOptions): Promise<void> {
  const { progress } = options;
  const { stack, model } = scene.what;
  if (scene.decisions[scene.what.wish]?.canary !== undefined) {
    await takeBack(scene, options);
    return;
  }
  const { left, before } = await wayBack(scene);
  const to = await decisionFor(scene, before.version);
  const from = left && (await decisionBefore(scene, left));
  const moving = { scene, to, before: left };
  if (options.branch) {
    writeOnly(moving, progress);
    return;
  }
  progress.say(`${model.name} (${scene.what.wish}): ${difference(from, to)}\n`);
  // It served before: that it cannot be asked is no reason to keep what is worse.
  await move(moving, { ...options, force: true });
  progress.stop();
  const event = { stack, model: model.name, version: to.version, from: left ? Number(left.version) : null };
  progress.event({ event: "rollback", ...event, alias: scene.what.alias });
  progress.say(
    `\nVersion ${to.version} of ${model.name} is in service again, and ${scene.what.alias} in the registry.`,
  );
}

/** Ends the trial of a version: what serves alone then has served all the time. */
async function takeBack({ what, decisions }: Scene, options: MovingOptions): Promise<void> {
  const { progress, deploy, consent } = options;
  const { stack, model, wish } = what;
  const version = decisions[wish]?.canary?.version;
  endTrial(what);
  if (!options.branch) await deploy(consent);
  progress.stop();
  progress.event({
    event: "rollback",
    stack,
    model: model.name,
    version: decisions[wish]?.version,
    tried: version,
  });
  progress.say(
    `\nVersion ${String(version)} of ${model.name} is not tried any more` +
      `${options.branch ? `, says the lock. When that is merged: ${commandLine("up", stack)}` : ""}.`,
  );
}

/** The version to return to, and the one that is left. */
async function wayBack(
  scene: Scene,
): Promise<{ readonly before: ModelVersion; readonly left: ModelVersion | undefined }> {
  const { what, registry, versions, decisions } = scene;
  const { stack, registered, wish, model } = what;
  const numbered = (number: number | null | undefined) =>
    versions.all.find(({ version }) => version === String(number));
  const decided = numbered(decisions[wish]?.version);
  const told = toldToServe(scene);
  // Somebody was stopped between the two: on the way back, or on the way to what the lock names.
  if (told !== undefined && decided !== undefined && told !== decided)
    return promotionOf(told, stack)?.from === Number(decided.version)
      ? { before: decided, left: told }
      : { before: told, left: decided };
  const left = told ?? decided;
  const from = left && promotionOf(left, stack)?.from;
  const before = numbered(from);
  if (before !== undefined) return { before, left };
  const gone = typeof from === "number" ? ` version ${from}, which is gone` : " which one is not known";
  throw new UserError(
    `what served before ${left === undefined ? registered : `version ${left.version} of ${registered}`} in stack ${stack}:` +
      `${gone}. Choose one: ${commandLine("promote", stack, model.name, "VERSION")}\n` +
      (await versionLines(registry, versions)),
  );
}
