/** What a change of the project would do to each of its stacks, found out without a cluster, an engine or a secret. */
import * as path from "node:path";
import { isDeepStrictEqual } from "node:util";

import type { PlatformConfig } from "../../config";
import { wishesOf } from "../../config/decisionChecks";
import { type Decisions, type Lock, lockFileName, parseLock, readLock } from "../../config/lock";
import type { Violation } from "../../policy/rules";
import { UserError, messageOf } from "../errors";
import { projectDir } from "../paths";
import { diffCounts, diffText } from "../plan/diff";
import { type Golden, golden, readGolden } from "../plan/golden";
import { type Plan, planOf, platformConfig, recordStack } from "../plan/plan";
import { stackNames } from "../plan/stackFiles";
import { difference, isSame } from "../registry/difference";
import type { Base } from "./base";
import { renewed } from "./contents";

/** A name of the registry for which something else is decided. */
export interface Promotion {
  /** The models of the stack that serve it. */
  readonly models: readonly string[];
  readonly wish: string;
  /** `version 3 → 4, test_r2 0.61 → 0.64, …`, or that it is decided no more. */
  readonly change: string;
}

/** What becomes of a stack. */
export interface StackReview {
  readonly stack: string;
  /** Whether it was there before, and is now. */
  readonly fate: "kept" | "new" | "removed";
  /** How many resources are added, removed and changed. */
  readonly counts: ReturnType<typeof diffCounts>;
  /** What keeps its name and gets another content: `image house-price-serve`. */
  readonly renewed: readonly string[];
  /** The differences of the resources; empty if there are none. */
  readonly differences: string;
  readonly promotions: readonly Promotion[];
  readonly violations: readonly Violation[];
  /** Why it cannot be evaluated: all that is wrong with its configuration. */
  readonly problem?: string;
  /** Whether its golden file says something else than what it declares. */
  readonly outdated: boolean;
}

const none: Golden = { stack: "", notices: [], outputs: undefined, resources: {} };
/** A review that has nothing to say. */
const silent = {
  counts: { added: 0, removed: 0, changed: 0 },
  renewed: [],
  differences: "",
  promotions: [],
  violations: [],
  outdated: false,
} as const;

/** Looks at every stack that there is, or was. */
export async function reviewOf(base: Base): Promise<StackReview[]> {
  const before = (await base.list()).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
  const now = stackNames();
  const changed = await base.changed();
  const reviews: StackReview[] = [];
  // One after the other: the program is evaluated in this process.
  for (const stack of [...new Set([...now, ...before])].sort())
    reviews.push(
      now.includes(stack)
        ? await reviewStack(base, stack, before.includes(stack), changed)
        : await removed(base, stack),
    );
  return reviews;
}

/** Whether a review speaks against a change: what would not come up, or breaks a mandatory rule. */
export function isWrong({ problem, violations }: StackReview): boolean {
  return problem !== undefined || violations.some(({ severity }) => severity === "error");
}

/** Whether a change does nothing to a stack that anybody could see. */
export function isUntouched(review: StackReview): boolean {
  const { fate, differences, promotions, problem, violations, renewed, outdated } = review;
  return (
    fate === "kept" &&
    differences === "" &&
    renewed.length === 0 &&
    !outdated &&
    promotions.length === 0 &&
    problem === undefined &&
    violations.length === 0
  );
}

async function reviewStack(
  base: Base,
  stack: string,
  wasThere: boolean,
  changed: ReadonlySet<string>,
): Promise<StackReview> {
  const fate = wasThere ? "kept" : "new";
  const promotions = await promotionsOf(base, stack);
  try {
    const before = (await goldenAt(base, stack)) ?? { ...none, stack };
    // The lock is compared by itself: what all of the stack's models would be says more than those decided on.
    const recording = await recordStack(stack, "assume all");
    const after = golden(recording);
    const { findings }: Plan = await planOf(stack, "assume");
    return {
      ...{ stack, fate, promotions, violations: findings },
      counts: diffCounts(before, after),
      differences: diffText(before, after),
      renewed: renewed(recording, changed),
      outdated: !isDeepStrictEqual(goldenNow(stack), JSON.parse(JSON.stringify(after))),
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ...silent, stack, fate, promotions, problem: messageOf(error) };
  }
}

async function removed(base: Base, stack: string): Promise<StackReview> {
  // What nobody can read any more is no reason against its end.
  const before = await goldenAt(base, stack).catch(() => undefined);
  const counts = before === undefined ? silent.counts : diffCounts(before, none);
  return { ...silent, stack, fate: "removed", counts };
}

async function goldenAt(base: Base, stack: string): Promise<Golden | undefined> {
  const text = await base.read(`test/golden/${stack}.json`);
  return text === undefined
    ? undefined
    : goldenIn(text, `test/golden/${stack}.json at ${base.commit.slice(0, 12)}`);
}

/** @throws UserError it is none. */
function goldenIn(text: string, where: string): Golden {
  try {
    return JSON.parse(text) as Golden;
  } catch {
    throw new UserError(`${where} is no JSON, so that there is nothing to compare with.`);
  }
}

/** The golden file of now; undefined if it is not there, or damaged: it is then to be written anew. */
function goldenNow(stack: string): Golden | undefined {
  try {
    return readGolden(stack);
  } catch {
    return undefined;
  }
}

async function promotionsOf(base: Base, stack: string): Promise<Promotion[]> {
  const file = lockFileName(stack);
  const then = await base.read(file);
  const before = then === undefined ? {} : decisionsIn(parseLock(then));
  const now = decisionsIn(readLock(path.join(projectDir, file)));
  // Of one that is damaged now the evaluation says so.
  if (now === undefined) return [];
  if (before === undefined)
    return [
      { models: [], wish: file, change: "cannot be read at the base: what was decided there is not known" },
    ];
  const changed = [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .sort()
    .filter((wish) => !isSame(before[wish], now[wish]));
  // The program is evaluated for the models, for which a lock that says the same should not have to wait.
  const models = changed.length === 0 ? [] : await modelsOf(stack);
  return changed.map((wish) => ({
    wish,
    models: models.filter((model) => wishesOf(model).includes(wish)).map(({ name }) => name),
    change: now[wish] === undefined ? "decided no more" : difference(before[wish], now[wish]),
  }));
}

/** What a lock says; undefined where it is damaged. */
function decisionsIn({ decisions, problems }: Lock): Decisions | undefined {
  return problems.length === 0 ? decisions : undefined;
}

/** The models of a stack; none where its configuration is wrong, which the evaluation tells. */
async function modelsOf(stack: string): Promise<PlatformConfig["models"]> {
  try {
    return (await platformConfig(stack, {})).models;
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}
