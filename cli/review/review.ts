/** What a change of the project would do to each of its stacks, found out without a cluster, an engine or a secret. */
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { isDeepStrictEqual } from "node:util";

import type { PlatformConfig } from "../../config";
import { wishesOf } from "../../config/decisionChecks";
import { type Decisions, lockFileName, parseLock } from "../../config/lock";
import type { Violation } from "../../policy/rules";
import { UserError, messageOf } from "../errors";
import { projectDir } from "../paths";
import { diffCounts, diffText } from "../plan/diff";
import { type Golden, golden, readGolden } from "../plan/golden";
import { type Plan, planOf, platformConfig, recordStack } from "../plan/plan";
import { stackNames } from "../plan/stackFiles";
import { difference, isSame } from "../registry/difference";
import type { Base } from "./base";

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
const nothing = { added: 0, removed: 0, changed: 0 };

/** Looks at every stack that there is, or was. */
export async function reviewOf(base: Base): Promise<StackReview[]> {
  const before = (await base.list()).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
  const now = stackNames();
  const reviews: StackReview[] = [];
  // One after the other: the program is evaluated in this process.
  for (const stack of [...new Set([...now, ...before])].sort())
    reviews.push(
      now.includes(stack)
        ? await reviewStack(base, stack, before.includes(stack))
        : await removed(base, stack),
    );
  return reviews;
}

/** Whether a review speaks against a change: what would not come up, or breaks a mandatory rule. */
export function isWrong({ problem, violations }: StackReview): boolean {
  return problem !== undefined || violations.some(({ severity }) => severity === "error");
}

/** Whether a change does nothing to a stack that anybody could see. */
export function isUntouched({ fate, differences, promotions, problem, violations }: StackReview): boolean {
  return (
    fate === "kept" &&
    differences === "" &&
    promotions.length === 0 &&
    problem === undefined &&
    violations.length === 0
  );
}

async function reviewStack(base: Base, stack: string, wasThere: boolean): Promise<StackReview> {
  const fate = wasThere ? "kept" : "new";
  const promotions = await promotionsOf(base, stack);
  const before = (await goldenAt(base, stack)) ?? { ...none, stack };
  try {
    // The lock is compared by itself: what all of the stack's models would be says more than those decided on.
    const after = golden(await recordStack(stack, "assume all"));
    const { findings }: Plan = await planOf(stack, "assume");
    return {
      ...{ stack, fate, promotions, violations: findings },
      counts: diffCounts(before, after),
      differences: diffText(before, after),
      outdated: !isDeepStrictEqual(readGolden(stack), JSON.parse(JSON.stringify(after))),
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const problem = messageOf(error);
    return {
      stack,
      fate,
      promotions,
      problem,
      violations: [],
      counts: nothing,
      differences: "",
      outdated: false,
    };
  }
}

async function removed(base: Base, stack: string): Promise<StackReview> {
  const before = await goldenAt(base, stack);
  return {
    ...{ stack, fate: "removed", promotions: [], violations: [], differences: "", outdated: false },
    counts: before === undefined ? nothing : diffCounts(before, none),
  };
}

async function goldenAt(base: Base, stack: string): Promise<Golden | undefined> {
  const text = await base.read(`test/golden/${stack}.json`);
  return text === undefined ? undefined : (JSON.parse(text) as Golden);
}

async function promotionsOf(base: Base, stack: string): Promise<Promotion[]> {
  const file = lockFileName(stack);
  const before = await decisionsAt((name) => base.read(name), file);
  const now = await decisionsAt(here, file);
  const changed = [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .sort()
    .filter((wish) => !isSame(before[wish], now[wish]));
  if (changed.length === 0) return [];
  const models = await modelsOf(stack);
  return changed.map((wish) => ({
    wish,
    models: models.filter((model) => wishesOf(model).includes(wish)).map(({ name }) => name),
    change: now[wish] === undefined ? "decided no more" : difference(before[wish], now[wish]),
  }));
}

/** What a lock says; nothing where it is not there or damaged, which the evaluation tells. */
async function decisionsAt(
  read: (file: string) => Promise<string | undefined>,
  file: string,
): Promise<Decisions> {
  const text = await read(file);
  return text === undefined ? {} : parseLock(text).decisions;
}

function here(file: string): Promise<string | undefined> {
  return readFile(path.join(projectDir, file), "utf8").catch(() => undefined);
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
