import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import colors from "picocolors";

import { usersBackend } from "../engine/backend";
import { keptContext } from "../engine/settings";
import { UserError } from "../errors";
import { previewExitCodes } from "../exitCodes";
import { shown } from "../paths";
import { type PreviewEngine, choosePreview, pulumiPreview } from "../plan/engineChoice";
import { goldenFile, graphFile } from "../plan/files";
import type { Plan } from "../plan/plan";
import { readStackConfig } from "../plan/stackFiles";
import { type TargetOptions, clusterTarget, defaultStack } from "../target";

/** Options of `npm run preview`. */
export interface PreviewOptions extends TargetOptions {
  readonly json?: boolean;
  readonly diff?: boolean;
  readonly graph?: boolean;
  readonly offline?: boolean;
  readonly updateGolden?: boolean;
}

/**
 * `npm run preview`: shows what a stack would become. Of one that was brought up from here, or whose cluster is asked for,
 * what the next `up` would change. With Pulumi's CLI and a stack it is `pulumi preview`; without,
 * the program is evaluated here, which needs neither cluster nor Docker nor an account.
 *
 * @returns the exit code: 2 the golden file differs, 3 a mandatory policy is violated.
 */
export async function preview(options: PreviewOptions): Promise<number> {
  // The wrong name of a stack is wrong for either engine.
  const config = options.stack === undefined ? undefined : readStackConfig(options.stack);
  const stack = options.stack ?? defaultStack;
  if (options.target === "cluster" || options.context !== undefined) {
    return exitCode(await previewCluster(stack, options));
  }
  const context = options.offline || options.graph || options.updateGolden ? undefined : keptContext(stack);
  if (context !== undefined) {
    const { previewDeployed } = await import("../deploy/preview.js");
    return exitCode(await previewDeployed(stack, context, options));
  }
  const chosen = await choose(options);
  announce(chosen, options);
  const { planOf } = await import("../plan/plan.js");
  if (chosen.engine === "pulumi") {
    const flags = [options.diff ? "--diff" : "", options.json ? "--json" : ""].filter((flag) => flag !== "");
    const code = await pulumiPreview(chosen, flags);
    return code === 0 ? await tellFindings(await planOf(chosen.stack, "assume", config), options) : code;
  }
  // A golden file says the same whatever was decided.
  const isGolden = [options.updateGolden, options.diff, options.graph].includes(true);
  const plan = await planOf(chosen.stack, isGolden ? "assume all" : "assume", config);
  if (options.updateGolden) await updateGolden(plan, options);
  // A picture that there is shows what the golden file says.
  const redraw = options.updateGolden && existsSync(graphFile(chosen.stack));
  if (options.graph || redraw) await drawGraph(plan, options);
  if (options.diff) return showDiff(plan, options);
  if (!options.updateGolden && !options.graph) await show(plan, chosen, options);
  return exitCode(isRefused(plan));
}

function isRefused({ findings }: Plan): boolean {
  return findings.some(({ severity }) => severity === "error");
}

/** @param refused whether an `up` would refuse it for its policies. */
function exitCode(refused: boolean): number {
  return refused ? previewExitCodes.violation : 0;
}

/** Of a stack that others have brought up, perhaps: by the state that they share, and their cluster. */
async function previewCluster(stack: string, options: PreviewOptions): Promise<boolean> {
  if (keptContext(stack) === undefined && usersBackend() === undefined)
    throw new UserError(
      `stack ${stack} was not brought up from here, and no backend is named where its state would lie: set ` +
        `PULUMI_BACKEND_URL to that of whoever has brought it up, and PULUMI_CONFIG_PASSPHRASE_FILE to the passphrase. ` +
        `Without either, npm run preview -- --stack ${stack} --offline shows what it declares.`,
    );
  const target = await clusterTarget(options);
  const { previewDeployed } = await import("../deploy/preview.js");
  return previewDeployed(stack, target.context.name, options, target);
}

/** What the policies find, below a preview of Pulumi's, whose standard output for machines is its own. */
async function tellFindings(plan: Plan, { json }: PreviewOptions): Promise<number> {
  const { policySection } = await import("../plan/report.js");
  (json ? process.stderr : process.stdout).write(`\n${policySection(plan)}\n`);
  return exitCode(isRefused(plan));
}

async function choose({ stack, offline, graph, updateGolden }: PreviewOptions): Promise<PreviewEngine> {
  if (graph)
    return { ...(await choosePreview(stack, true)), engine: "none", reason: "the graph needs no engine" };
  if (updateGolden)
    return { ...(await choosePreview(stack, true)), engine: "none", reason: "golden files need no engine" };
  return choosePreview(stack, offline === true);
}

function announce(chosen: PreviewEngine, { json }: PreviewOptions): void {
  if (json) return;
  const how =
    chosen.engine === "pulumi"
      ? "pulumi preview, since the Pulumi CLI knows the stack."
      : `evaluated here, without an engine: ${chosen.reason}.`;
  process.stdout.write(`${colors.bold(`Stack: ${chosen.stack}`)}, ${how}\n\n`);
}

async function show(plan: Plan, chosen: PreviewEngine, { json }: PreviewOptions): Promise<void> {
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...chosen, ...(await jsonPlan(plan)) })}\n`);
    return;
  }
  const { report } = await import("../plan/report.js");
  process.stdout.write(`${report(plan, process.stdout.isTTY ? process.stdout.columns : 110)}\n`);
}

/** The plan with what a machine would have to work out again: what waits for what, and the counts. */
async function jsonPlan({ recording, images, charts, findings }: Plan): Promise<object> {
  const [{ countsByKind }, { Names, waitsFor }] = await Promise.all([
    import("../plan/report.js"),
    import("../plan/names.js"),
  ]);
  const waits = waitsFor(recording, new Names(recording));
  return {
    resources: recording.resources.map((resource) => ({ ...resource, after: waits.get(resource.urn) ?? [] })),
    outputs: recording.outputs,
    images,
    charts,
    findings,
    notices: recording.notices,
    counts: countsByKind(recording.resources),
  };
}

async function showDiff({ recording }: Plan, { json }: PreviewOptions): Promise<number> {
  const [{ golden, readGolden, updateCommand }, { changes, diffCounts, diffText }] = await Promise.all([
    import("../plan/golden.js"),
    import("../plan/diff.js"),
  ]);
  const file = shown(goldenFile(recording.stack));
  const before = readGolden(recording.stack);
  if (before === undefined)
    throw new UserError(`there is no ${file} to compare with; write it: ${updateCommand(recording.stack)}`);
  const after = golden(recording);
  const counts = diffCounts(before, after);
  const same = changes(before, after).length === 0;
  if (json) {
    const found = changes(before, after).map((change) => ({ ...change }));
    process.stdout.write(
      `${JSON.stringify({ stack: recording.stack, file, same, counts, changes: found })}\n`,
    );
  } else if (same) {
    process.stdout.write(`${colors.green("✓")} as in ${file}\n`);
  } else {
    const { added, removed, changed } = counts;
    process.stdout.write(
      `${diffText(before, after)}\n\nAgainst ${file}: ${added} added, ${removed} removed, ${changed} changed.\n` +
        `If that is what it should be: ${updateCommand(recording.stack)}\n`,
    );
  }
  return same ? 0 : previewExitCodes.different;
}

async function updateGolden({ recording }: Plan, { json }: PreviewOptions): Promise<void> {
  const { writeGolden } = await import("../plan/golden.js");
  const file = shown(await writeGolden(recording));
  process.stdout.write(json ? `${JSON.stringify({ golden: file })}\n` : `${colors.green("✓")} ${file}\n`);
}

async function drawGraph({ recording }: Plan, { json }: PreviewOptions): Promise<void> {
  const { graphSvg } = await import("../plan/graph.js");
  const file = graphFile(recording.stack);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, await graphSvg(recording));
  process.stdout.write(
    json ? `${JSON.stringify({ graph: shown(file) })}\n` : `${colors.green("✓")} ${shown(file)}\n`,
  );
}
