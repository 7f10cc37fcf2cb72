import { type Decision, type Decisions, flawsOf } from "../../config/lock";
import type { PlatformConfig } from "../../config";
import { triedIn } from "../../config/canary";
import { servedOf, wishesOf } from "../../config/decisionChecks";
import { partsOf } from "../../config/graph";
import { misfits } from "../../config/misfits";
import type { ModelConfig } from "../../config/models";
import { othersScoring, unscorable } from "../../config/scoring";
import { knownInstead, listed } from "../../config/words";
import { UserError, messageOf } from "../errors";
import { withChecksums } from "./checksums";
import { type Registry, decide } from "./decide";
import { lacksEnvironment, withEnvironment, withKnownEnvironment } from "./environment";
import { difference, isSame, isSameVersion } from "./difference";
import { signed } from "./signed";

/** What was decided anew. */
export interface Updated {
  readonly decisions: Decisions;
  /** Those of them that are new. */
  readonly changed: Decisions;
  /** Names for which something was decided, and which nobody wishes for any more. */
  readonly dropped: readonly string[];
  /** A line for each name that stands for another version now, or for one at last. */
  readonly changes: readonly string[];
  /** Names that stand for nothing; what was decided for them before stays. */
  readonly failures: readonly Failure[];
}

/** That a name in the registry stands for nothing that can be served, and why. */
export interface Failure {
  readonly wish: string;
  readonly reason: string;
}

/** The reasons alone. */
export function reasonsOf(failures: readonly Failure[]): string[] {
  return failures.map(({ reason }) => reason);
}

/** Names that a stack wishes for, with the models that do. */
export function allWishes(models: readonly ModelConfig[]): ReadonlyMap<string, readonly string[]> {
  const wishes = new Map<string, string[]>();
  for (const model of models)
    for (const wish of wishesOf(model)) wishes.set(wish, [...(wishes.get(wish) ?? []), model.name]);
  return wishes;
}

/** The models of these names. @throws UserError a stack has none of a name, or it wishes for nothing. */
export function chosen(models: readonly ModelConfig[], names: readonly string[]): readonly ModelConfig[] {
  const known = models.map(({ name }) => name);
  for (const name of names) {
    if (!known.includes(name))
      throw new UserError(`the stack has no model ${name}; ${knownInstead(name, known)}`);
    if (models.every((model) => model.name !== name || wishesOf(model).length === 0))
      throw new UserError(
        `model ${name} names no version of the registry: nothing is to be decided. Name one: models[].model: models:/NAME@ALIAS`,
      );
  }
  return names.length === 0 ? models : models.filter(({ name }) => names.includes(name));
}

/** All models of a stack, and its store. */
export type Consumers = Pick<PlatformConfig, "models"> &
  Partial<Pick<PlatformConfig, "batch" | "images" | "objectStore">>;

/** Why a version cannot serve as what a name stands for, to be read behind the name; nothing if it can. */
export function unfit(wish: string, decision: Decision, stack: Consumers): string[] {
  const { models, objectStore } = stack;
  const wrong = models
    .flatMap(partsOf)
    .filter(({ model }) => wishesOf(model).includes(wish))
    .flatMap(({ model }) => misfits(model, decision, objectStore));
  const scoring = othersScoring(stack).filter(({ model }) => servedOf(model) === wish);
  const unable = scoring.flatMap(({ model }) => unscorable(model, decision));
  return [...new Set([...wrong, ...unable, ...flawsOf(wish, decision)])];
}

/**
 * Asks the registry anew.
 *
 * @param models whose names are asked for; decisions that nobody else in the stack wishes for go.
 * @param stack all the stack's models, and its store.
 */
export async function update(
  registry: Registry,
  models: readonly ModelConfig[],
  stack: Consumers,
  before: Decisions,
): Promise<Updated> {
  const wished = allWishes(stack.models);
  const decisions: Record<string, Decision> = { ...before };
  const changes: string[] = [];
  const changed: Record<string, Decision> = {};
  const failures: Failure[] = [];
  const asked = [...allWishes(models).keys()].map(async (wish) => {
    const by = wished.get(wish) ?? [];
    try {
      const found = await decide(registry, wish);
      const locked = before[wish];
      const { decided, canary, ...was } = locked ?? {};
      const isLocked = (one: object) => decided !== undefined && isSame(was, one);
      // Files are read once, when they are decided on: if they are others since, the pods are to find that out.
      const known = isSameVersion(locked, found) ? locked?.sha256 : undefined;
      const kept = { ...withKnownEnvironment(wish, found, stack, locked), ...(known && { sha256: known }) };
      if (kept.sha256 && !lacksEnvironment(wish, kept, stack) && isLocked(kept)) return;
      const now = signed();
      // What does not fit is not written down: what was decided before goes on.
      const wrong = unfit(wish, { ...kept, decided: now }, stack);
      if (wrong.length > 0) {
        failures.push({ wish, reason: `${wish} is ${wrong.join("; ")}` });
        return;
      }
      const equipped = await withEnvironment(registry, wish, kept, stack);
      const after = kept.sha256 ? equipped : await withChecksums(registry, wish, equipped);
      if (isLocked(after)) return;
      // What is tried beside one version is not tried beside another.
      const tried = canary !== undefined && isSameVersion(locked, after) ? { canary } : {};
      const decision = { ...after, ...tried, decided: now };
      decisions[wish] = changed[wish] = decision;
      const told = [difference(locked, after), ...checksNow(locked, after)].join(", ");
      changes.push(`${listed(by)} (${wish}): ${told}`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const message = messageOf(error);
      failures.push({ wish, reason: message.includes(wish) ? message : `${wish}: ${message}` });
    }
  });
  await Promise.all(asked);
  // Beside a name that is wrong, one that is gone may be the right one.
  const tried = triedIn(decisions);
  const dropped =
    failures.length > 0
      ? []
      : Object.keys(before).filter((wish) => !wished.has(wish) && !tried.includes(wish));
  for (const wish of dropped) {
    Reflect.deleteProperty(decisions, wish);
    changes.push(`${wish}: no longer wished for`);
  }
  failures.sort((one, other) => (one.wish < other.wish ? -1 : 1));
  return { decisions, changed, dropped, changes: changes.sort(), failures };
}

/** What is new of the checks of a version. */
function checksNow(before: Decision | undefined, after: Pick<Decision, "loading" | "sha256">): string[] {
  if (after.sha256 === undefined) return ["files cannot be checked: too many, too large or oddly named"];
  if (before === undefined) return [];
  return [
    ...(before.sha256 === undefined ? ["files are checked from now on"] : []),
    ...(before.loading === undefined ? ["what it runs is known from now on"] : []),
  ];
}
