/** Another version of a model comes into service on this machine: what `promote` and `rollback` do. */
import type { Decision } from "../../../config/lock";
import { commandLine, thisMachine } from "../../commandLine";
import { UserError } from "../../errors";
import { servingEnvironment } from "../../lockFiles";
import type { ModelVersion } from "../../mlflow";
import { readParityRecord } from "../../parity";
import type { Progress } from "../../progress";
import { type Environment, Environments } from "../../python";
import { decide } from "../../registry/decide";
import { difference } from "../../registry/difference";
import { point } from "../../registry/promotion/alias";
import { compare } from "../../registry/promotion/comparison";
import { versionLines } from "../../registry/promotion/promotable";
import { accept, chooseVersion } from "../../registry/promotion/promoting";
import { promotedTag, promotionOf, record, rolledBackTag, servesTag } from "../../registry/promotion/record";
import { type Pace, watchClients } from "../../registry/promotion/watching";
import { signed } from "../../registry/signed";
import { computeAnswers, leaveAnswers } from "../answers";
import { localClient } from "../modelServer";
import { ModelServices } from "../modelServices";
import { PortChoice } from "../portChoice";
import { type Servable, environmentOf, exampleIn, isTrainedHere, lookAt } from "../registered";
import { scoreOf } from "../score";
import { fetchVersion } from "../versionFiles";
import { type LocalScene, localScene, localStack } from "./scene";

/** How a version is brought into service. */
export interface LocalMove {
  /** Also what takes or answers something else, or cannot be compared with its own libraries. @default false */
  readonly force?: boolean;
  /** Also what runs code when it is loaded, of a model that others have logged. @default false */
  readonly allowCode?: boolean;
  /** How long it is watched. @default as in a cluster */
  readonly pace?: Pace;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/**
 * Brings a version of a model into service on this machine, and says what speaks for it.
 *
 * @param word the version's number. @default that of the champion, where it is ahead; else of the challenger
 * @throws UserError it was refused, with the way out; or it does not come into service, and what is in service then.
 */
export async function promoteHere(name: string, word: string | undefined, how: LocalMove): Promise<void> {
  const scene = await localScene(name);
  const { what, registry, versions, serving, model } = scene;
  const { progress } = how;
  // Whoever was stopped on the way has not come to the tags.
  const told = serving !== undefined && servesTag(localStack) in serving.tags;
  const begun = told
    ? undefined
    : { version: model.version, why: "which serves, and the registry was not told" };
  const meant = { word, begun, serving: model.version };
  const version = await chooseVersion(registry, what, versions, meant, progress);
  const to = await decisionFor(scene, version);
  if (version === serving && versions.aliases[what.alias] === version.version) {
    await tell(scene, version, to);
    progress.event({ event: "promote", ...eventOf(scene, to), changed: false });
    progress.say(`\nVersion ${version.version} of ${name} is in service already: nothing was changed.`);
    return;
  }
  const decided =
    serving === undefined || serving === version ? undefined : await decisionFor(scene, serving);
  const from = decided && { decided, version: serving };
  accept(what, await compare(registry, from, { decided: to, version }), how);
  await move(scene, version, to, how);
  progress.event({
    event: "promote",
    ...eventOf(scene, to),
    from: from?.decided.version ?? null,
    changed: true,
  });
  progress.say(`\nVersion ${version.version} of ${name} is in service, and ${what.alias} in the registry.`);
}

/**
 * Returns to the version of a model that served before the one in service on this machine.
 *
 * @throws UserError nobody knows which that is, with those that there are; or it does not come into service.
 */
export async function rollBackHere(name: string, how: LocalMove): Promise<void> {
  const scene = await localScene(name);
  const { what } = scene;
  const { progress } = how;
  const { before, left } = await wayBack(scene);
  const to = await decisionFor(scene, before);
  const from = left && (await decisionFor(scene, left));
  progress.say(`${name} (${what.wish}): ${difference(from, to)}\n`);
  // What served before was allowed to bring its code.
  await move(scene, before, to, { ...how, left, returning: true, allowCode: hasServed(before) });
  progress.event({ event: "rollback", ...eventOf(scene, to), from: from?.version ?? null });
  progress.say(
    `\nVersion ${before.version} of ${name} is in service again, and ${what.alias} in the registry.`,
  );
}

/** The version to return to, and the one that is left. */
async function wayBack(
  scene: LocalScene,
): Promise<{ readonly before: ModelVersion; readonly left: ModelVersion | undefined }> {
  const { what, registry, versions, serving, model } = scene;
  const numbered = (number: number | string | null | undefined) =>
    versions.all.find(({ version }) => version === String(number));
  const best = numbered(versions.aliases[what.alias]);
  // Somebody was stopped between the two: on the way back, or on the way to what serves. Or the alias was moved by hand to
  // what has never served, and there is no way back to that.
  if (best !== undefined && serving !== undefined && best !== serving && hasServed(best))
    return promotionOf(best, localStack)?.from === Number(serving.version)
      ? { before: serving, left: best }
      : { before: best, left: serving };
  const from = serving && promotionOf(serving, localStack)?.from;
  const before = numbered(from);
  if (before !== undefined) return { before, left: serving };
  const gone = typeof from === "number" ? `version ${from}, which is gone` : "which one is not known";
  throw new UserError(
    `what served before version ${model.version} of ${what.registered} here: ${gone}. Choose one: ` +
      `${commandLine("promote", thisMachine, what.model.name, "VERSION")}\n${await versionLines(registry, versions)}`,
  );
}

/** Whether a version serves here, or has done so. */
function hasServed({ tags }: ModelVersion): boolean {
  return [servesTag, promotedTag, rolledBackTag].some((tag) => tag(localStack) in tags);
}

/** @throws UserError its files are gone, or MLflow does not answer. */
async function decisionFor({ registry, what }: LocalScene, { version }: ModelVersion): Promise<Decision> {
  return { ...(await decide(registry, `models:/${what.registered}/${version}`)), decided: signed() };
}

/** Has a version take the place of the one that serves, and tells the registry when it has answered right for a while. */
async function move(
  scene: LocalScene,
  version: ModelVersion,
  to: Decision,
  {
    progress,
    signal,
    pace,
    allowCode = false,
    force = false,
    returning = false,
    left = scene.serving,
  }: LocalMove & {
    readonly left?: ModelVersion | undefined;
    /** Whether it has served before, and was compared then, or not to be. @default false */
    readonly returning?: boolean;
  },
): Promise<void> {
  const { manifest, registry, what, model } = scene;
  const { name } = manifest;
  const environment = await environmentFor(scene, version, { progress, signal, allowCode });
  const files = await progress.step(`model files ${name}`, (step) =>
    fetchVersion(version, registry.mlflow, step),
  );
  if (!isTrainedHere(manifest))
    await progress.step(`expected answers of ${name}`, (step) =>
      force || returning
        ? leaveAnswers(step)
        : computeAnswers({ version, environment, files }, "--force", step, signal),
    );
  const services = new ModelServices(new PortChoice({}), signal);
  const seen = (served: typeof model) =>
    progress.step(`answers of ${name}`, async (step) => {
      const question = questionIn(manifest, files);
      if (question === undefined) step.skip("not checked: no input example is with it");
      else await watchClients([localClient(served)], { question, ...(pace && { pace }) }, step, signal);
    });
  try {
    const score = await scoreOf(registry.mlflow, manifest, version);
    await progress.step(`model server ${name}`, (step) =>
      services.serve({ manifest, environment, version, files, score, uncompared: force }, step, seen),
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `version ${version.version} of ${name} is not in service: ${error.message}\n` +
        `  In service as before: version ${model.version}. The registry was told nothing.`,
    );
  }
  await progress.step("registry", async (step) => {
    await tell(scene, version, to, left).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(
        `version ${version.version} of ${name} serves, and the registry could not be told all of it: ${error.message}\n` +
          `  To finish: ${commandLine("promote", thisMachine, name, version.version)}`,
      );
    });
    step.detail(`version ${version.version} is ${what.alias}, and serves here`);
  });
}

/** The environment that serves a version. @throws UserError it cannot or may not be served. */
function environmentFor(
  { manifest, registry }: LocalScene,
  version: ModelVersion,
  { progress, signal, allowCode = false }: Pick<LocalMove, "allowCode" | "progress" | "signal">,
): Promise<Environment> {
  const environments = new Environments(signal);
  if (isTrainedHere(manifest)) {
    const name = servingEnvironment(manifest);
    return progress.step(`Python environment ${name}`, (step) => environments.ensure(name, step));
  }
  return progress.step(`Python environment of ${manifest.name}`, async (step) => {
    const found = await lookAt(registry.mlflow, version, allowCode ? [manifest.name] : []);
    return environmentOf(found, environments, step);
  });
}

/** What a version is asked while it is watched; undefined if nobody knows. */
function questionIn(
  manifest: Servable,
  files: string,
): Parameters<typeof watchClients>[1]["question"] | undefined {
  if (isTrainedHere(manifest)) return { kind: "training", record: readParityRecord(files) };
  const rows = exampleIn(files);
  return rows && { kind: "example", rows };
}

/** Tells the registry what serves now. */
async function tell(
  { registry, what }: LocalScene,
  { version }: ModelVersion,
  to: Decision,
  left?: ModelVersion,
): Promise<void> {
  const { registered, alias, wish } = what;
  const { mlflow } = registry;
  await point(mlflow, { registered, alias, version, wishes: new Set([wish]) });
  const moved =
    left === undefined || left.version === version
      ? {}
      : { moved: { from: Number(left.version), to: Number(version) } };
  await record(mlflow, registered, { stack: localStack, decisions: [to], chosen: to.version, ...moved });
}

function eventOf({ what, model }: LocalScene, to: Decision) {
  return { target: "local", model: model.name, version: to.version, alias: what.alias };
}
