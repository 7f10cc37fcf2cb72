import { randomBytes } from "node:crypto";
import * as path from "node:path";

import { type Cluster, findCluster } from "../cli/cluster/cluster";
import { type Engine, findOrBuildEngine } from "../cli/engine/engine";
import { UserError } from "../cli/errors";
import { onPath } from "../cli/onPath";
import { npmRun } from "../test/e2e/commands";
import { leftovers } from "../test/e2e/leftovers";
import { until } from "../test/e2e/pods";
import { chooseProviders } from "../test/e2e/providers";
import { TestStack } from "../test/e2e/testStack";
import { type Interval, criticalPath } from "./criticalPath";
import type { BenchResult } from "./main";
import { Articles, type TimedStep } from "./up-articles";

/**
 * An empty cluster's way to a prediction: the articles', one release after the other, against `npm run up`, on the
 * current context's cluster, which has the images. Both are taken down again. `E2E_CONFIG` as for `npm run test:e2e`.
 *
 * @param say is told what is being done.
 * @throws UserError a tool or an image is missing, or the cluster is not empty.
 */
export async function up(say: (line: string) => void): Promise<BenchResult> {
  const { cluster, context } = await emptyCluster();
  const engine = await findOrBuildEngine({ detail: say }, new AbortController().signal);
  process.env["PATH"] = `${path.dirname(engine.file)}${path.delimiter}${process.env["PATH"] ?? ""}`;
  const stack = new TestStack(context);
  const articles = new Articles(cluster, { ...imagesOf(stack), mirror: stack.mirror, password: password() });
  const theirs = await measure(
    cluster,
    () => articles.up(say),
    () => articles.down(),
    say,
  );
  return report(theirs, await ourWay(cluster, stack, engine, say));
}

async function ourWay(
  cluster: Cluster,
  stack: TestStack,
  engine: Engine,
  say: (line: string) => void,
): Promise<TimedStep[]> {
  const providers = await chooseProviders(engine, cluster.context, stack.prebuilt);
  say(`npm run up, with ${providers.description}`);
  stack.moveIn();
  stack.write();
  const down = () => npmRun("down", ["--stack", stack.name, "--confirm", stack.name], () => undefined);
  try {
    return await measure(cluster, () => bringUp(stack), down, say);
  } finally {
    providers.stop();
    // What could not be taken down is nobody's without its state.
    if ((await leftovers(cluster)).length === 0) stack.remove();
    else say(stack.kept);
  }
}

/** The current context's cluster. @throws UserError there is none, or the platform is in it. */
export async function emptyCluster(): Promise<{ cluster: Cluster; context: string }> {
  const missing = ["kubectl", "helm"].filter((tool) => onPath(tool) === undefined);
  if (missing.length > 0)
    throw new UserError(`the articles' way takes kubectl and helm; not on the PATH: ${missing.join(", ")}.`);
  const found = await findCluster();
  if (found.state !== "answers") throw new UserError(`there is no cluster to measure on: ${found.reason}.`);
  const present = await leftovers(found.cluster);
  if (present.length > 0)
    throw new UserError(
      `the cluster of context ${found.context} is not empty: it has ${present.join(", ")}.`,
    );
  return found;
}

/** The articles build their images by hand; what that takes is no part of this. */
function imagesOf({ prebuilt }: TestStack) {
  const { "house-price-train": trainingImage, "house-price-serve": servingImage } = prebuilt;
  if (trainingImage === undefined || servingImage === undefined)
    throw new UserError(
      "name both of the project's images under mlplatform:images, prebuilt, in E2E_CONFIG.",
    );
  return { trainingImage, servingImage };
}

function password(): string {
  return randomBytes(12).toString("hex");
}

/** Goes one way and takes it down again, also after a failure. */
async function measure(
  cluster: Cluster,
  go: () => Promise<TimedStep[]>,
  down: () => Promise<unknown>,
  say: (line: string) => void,
): Promise<TimedStep[]> {
  const takeDown = async () => {
    say("taking it down");
    await down();
    await until("nothing is left", async () => (await leftovers(cluster)).length === 0);
  };
  let steps: TimedStep[];
  try {
    steps = await go();
  } catch (error) {
    // Why it failed says more than why it could not be taken down either.
    await takeDown().catch(() => undefined);
    throw error;
  }
  await takeDown();
  return steps;
}

/** Steps that took less are told as one. */
const shownSeconds = 1;

/** Runs `npm run up`. @returns its critical path. */
async function bringUp(stack: TestStack): Promise<TimedStep[]> {
  const zero = performance.now();
  const now = () => (performance.now() - zero) / 1000;
  const began = new Map<string, number>();
  const intervals: Interval[] = [];
  const parts = new Set<string>();
  await npmRun("up", ["--stack", stack.name], ({ event, state, ...told }) => {
    const { part = "", kind = "", name = "" } = told;
    // A deployment is what its resources are; each of its parts begins long before what it waits for.
    const step = event === "resource" ? `${part}: ${kind} ${name}` : (told.step ?? "");
    if (event !== "resource" && (event !== "step" || parts.has(step))) return;
    if (event === "resource") parts.add(part).add("deployment");
    if (state !== "running") intervals.push({ step, began: began.get(step) ?? 0, ended: now() });
    else if (!began.has(step)) began.set(step, now());
  });
  const end = now();
  const steps = criticalPath(intervals).filter(({ seconds }) => seconds >= shownSeconds);
  const told = steps.reduce((sum, { seconds }) => sum + seconds, 0);
  return [...steps, { step: "many short ones", seconds: end - told }];
}

function report(theirs: readonly TimedStep[], ours: readonly TimedStep[]): BenchResult {
  const total = (steps: readonly TimedStep[]) => steps.reduce((sum, { seconds }) => sum + seconds, 0);
  const [before, now] = [total(theirs), total(ours)];
  const row = (step: string, was?: number, is?: number) => [
    step,
    ...[was, is].map((seconds) => seconds?.toFixed(1) ?? ""),
  ];
  const rows = [
    ...theirs.map(({ step, seconds }) => row(step, seconds)),
    ...ours.map(({ step, seconds }) => row(step, undefined, seconds)),
    row("all", before, now),
    ["ours / articles", "", (now / before).toFixed(2)],
  ];
  const figures = {
    ...figuresOf("articles", theirs),
    ...figuresOf("ours", ours),
    articles_up_s: rounded(before),
    ours_up_s: rounded(now),
    ratio_up: rounded(now / before),
  };
  return { head: ["critical path, seconds", "articles", "ours"], rows, figures };
}

function figuresOf(way: string, steps: readonly TimedStep[]): Record<string, number> {
  return Object.fromEntries(
    steps.map(({ step, seconds }) => [`${way}_${step.replaceAll(/\W+/g, "_")}_s`, rounded(seconds)]),
  );
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
