import * as path from "node:path";

import colors from "picocolors";

import { lockFile } from "../../config/lock";
import { unaskedImages } from "../cluster/daemonImages";
import { appImageBuilds, useBuilder } from "../cluster/images";
import { commandLine } from "../commandLine";
import { killEngines } from "../engine/command";
import { keptImages } from "../engine/settings";
import { EngineStack } from "../engine/stack";
import { type Plan, planOf, platformConfig } from "../plan/plan";
import { policySection } from "../plan/report";
import { Progress } from "../progress";
import { keepInService } from "../registry/keepInService";
import { decisionsIn } from "../registry/lockFile";
import { told } from "./changes";
import { UserError } from "../errors";
import { onInterruption, stopMilliseconds } from "../interruption";
import { type ClusterTarget, clusterTarget } from "../target";
import { DeclaredObjects } from "./declared";
import { openEnvironments } from "./environments";
import { restoreReleases } from "./restore";
import { prepareEngine, prepareProviders } from "./prepared";

/** A step that the engine would take. */
interface PlannedStep {
  readonly op: string;
  readonly urn: string;
  /** Names of the inputs that differ. */
  readonly inputs: readonly string[];
}

/**
 * `pulumi preview` of a stack that was brought up from here: what the next `up` would change, by the state, by the
 * providers, and where the cluster answers also by what is there.
 *
 * @param context where the stack is.
 * @param asked its cluster, if it must be asked. @default that of the context, and without it the state alone
 * @returns whether an up would refuse it, as it violates a policy.
 * @throws UserError the configuration is wrong, the engine cannot say, or what was decided of a model in service is not here.
 */
export async function previewDeployed(
  stack: string,
  context: string,
  options: { readonly json?: boolean; readonly diff?: boolean },
  asked?: ClusterTarget,
): Promise<boolean> {
  const progress = Progress.for(options);
  const interruption = onInterruption(killEngines);
  interruption.within(stopMilliseconds);
  const { signal } = interruption;
  try {
    const must = asked === undefined ? "made" : "there";
    await openEnvironments(stack, progress, signal, must);
    const plan = await planOf(stack, "assume");
    for (const { severity, message } of plan.recording.notices)
      if (severity === "warning") progress.warn(message);
    const engine = await prepareEngine(progress, signal);
    await prepareProviders(engine, plan.recording.resources, progress, signal);
    progress.stop();
    const target = asked ?? (await clusterOf(stack, progress));
    if (target !== undefined) await seeDecided(target);
    if (target !== undefined) await useBuilder(target, plan.recording.resources, signal);
    const overrides = { context, prebuilt: broughtIn(stack, plan) };
    const opened = await EngineStack.open(stack, engine, overrides, must);
    const { resources = [] } = await opened.state();
    const has = new Set(resources.map(({ urn }) => urn));
    const exclude = await unaskedImages(appImageBuilds(plan.recording), has, signal);
    if (exclude.length > 0)
      progress.warn(
        "Docker does not answer: whether the images that it has built would change is not shown.",
      );
    const steps: PlannedStep[] = [];
    const declared = new DeclaredObjects();
    const changes = await opened.preview({
      signal,
      diff: options.diff ?? false,
      refresh: target !== undefined,
      exclude,
      onEvent: (event) => {
        declared.onEvent(event);
        const { op = "same", urn = "", diffs = [] } = event.resourcePreEvent?.metadata ?? {};
        if (op !== "same" && op !== "refresh") steps.push({ op, urn, inputs: diffs });
      },
      ...(options.json ? {} : { onOutput: (text: string) => process.stdout.write(text) }),
    });
    const quiet = { detail: () => undefined };
    const looked =
      target === undefined ? [] : await restoreReleases(target.cluster, declared.all, quiet, "look");
    // What may not be compared is not known to be wrong.
    const drift = looked.filter(({ problem }) => problem === undefined);
    const { findings } = plan;
    progress.event({
      event: "preview",
      stack,
      context,
      engine: engine.version,
      changes,
      steps,
      drift,
      findings,
    });
    for (const { object, was } of drift)
      progress.say(`${object} is ${was}: ${commandLine("up", stack)} puts it back.`);
    progress.say(
      `${policySection(plan)}\n\n${colors.bold(`Stack ${stack} in ${context}`)}: ${told(changes)}.`,
    );
    return findings.some(({ severity }) => severity === "error");
  } finally {
    progress.stop();
    interruption.dispose();
  }
}

/** A model that nothing is decided on is left out by the program, which the engine would tell as its end. */
async function seeDecided(target: ClusterTarget): Promise<void> {
  const { stack } = target;
  const { environment, models } = await platformConfig(stack, {});
  const file = lockFile(stack, environment);
  // In dev it lies in the home, and an up decides before it changes anything.
  const elsewhere = [
    `What was decided stands in ${path.basename(file)} of the home that has brought it up: set MLPLATFORM_HOME to that, or ` +
      `take it from the registry: ${commandLine("models", stack, "update")}`,
  ];
  await keepInService(target, models, decisionsIn(file), environment === "dev" ? elsewhere : []);
}

async function clusterOf(stack: string, progress: Progress): Promise<ClusterTarget | undefined> {
  try {
    return await clusterTarget({ stack });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    progress.warn(`by the state alone, without a look at what is there: ${error.message}`);
    return undefined;
  }
}

/** The images that an `up` would bring into the cluster by itself, as the last one did. */
function broughtIn(stack: string, { recording }: Plan): Record<string, string> {
  const names = keptImages(stack);
  const builds = appImageBuilds(recording).filter(({ name }) => names.includes(name));
  return Object.fromEntries(builds.map(({ name, reference }) => [name, reference]));
}
