import colors from "picocolors";

import { unaskedImages } from "../cluster/daemonImages";
import { appImageBuilds, useBuilder } from "../cluster/images";
import { keptImages } from "../engine/settings";
import { EngineStack } from "../engine/stack";
import { type Plan, planOf } from "../plan/plan";
import { Progress } from "../progress";
import { told } from "./changes";
import { UserError } from "../errors";
import { type ClusterTarget, clusterTarget } from "../target";
import { DeclaredObjects } from "./declared";
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
 * @throws UserError the configuration is wrong, or the engine cannot say.
 */
export async function previewDeployed(
  stack: string,
  context: string,
  options: { readonly json?: boolean; readonly diff?: boolean },
  asked?: ClusterTarget,
): Promise<void> {
  const progress = Progress.for(options);
  const { signal } = new AbortController();
  try {
    const plan = await planOf(stack, "assume");
    const engine = await prepareEngine(progress, signal);
    await prepareProviders(engine, plan.recording.resources, progress, signal);
    progress.stop();
    const target = asked ?? (await clusterOf(stack, progress));
    if (target !== undefined) await useBuilder(target, plan.recording.resources, signal);
    const overrides = { context, prebuilt: broughtIn(stack, plan) };
    const opened = await EngineStack.open(stack, engine, overrides, asked === undefined ? "made" : "there");
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
    const drift =
      target === undefined ? [] : await restoreReleases(target.cluster, declared.all, quiet, "look");
    progress.event({ event: "preview", stack, context, engine: engine.version, changes, steps, drift });
    for (const { object, was } of drift) progress.say(`${object} is ${was}: npm run up puts it back.`);
    progress.say(`${colors.bold(`Stack ${stack} in ${context}`)}: ${told(changes)}.`);
  } finally {
    progress.stop();
  }
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
