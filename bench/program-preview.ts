import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { performance } from "node:perf_hooks";

import { parse, stringify } from "yaml";

import { findOrBuildEngine } from "../cli/engine/engine";
import { UserError } from "../cli/errors";
import { Lane, type Snapshot } from "../test/engine/support/lane";
import { setting } from "../test/engine/support/setting";
import { type Which, programs } from "./program-load";

/** The numbers of models that are measured. The one is the dev stack as it is. */
export const modelCounts = [1, 10, 100, 500] as const;

const stack = "dev";

/** Previews of one program with one configuration, none of which finds anything to change. */
export interface Previews {
  readonly program: Which;
  readonly models: number;
  /** The stack itself included. */
  readonly resources: number;
  readonly seconds: readonly number[];
}

/** A deployed stack that can be come back to. */
interface Deployed {
  readonly program: Which;
  readonly lane: Lane;
  readonly models: number;
  readonly snapshot: Snapshot;
}

/**
 * Previews on the real engine, with stand-in providers and nothing to change. Each begins with the start of the
 * program's process and of the engine; the providers run already. Programs and sizes take turns.
 *
 * @param rounds how often each is previewed.
 * @param say is told what is being done.
 * @throws UserError there is no engine, a deployment fails, or a preview finds changes.
 */
export async function previewPrograms(rounds: number, say: (line: string) => void): Promise<Previews[]> {
  say("looking for Pulumi's engine; where there is none, building it takes minutes");
  await findOrBuildEngine({ detail: () => undefined }, new AbortController().signal);
  const shared = await setting();
  const lanes = { empty: new Lane(shared, programs.empty), ours: new Lane(shared, programs.ours) };
  try {
    const deployed = [
      ...(await deploy("empty", lanes.empty, [0], say)),
      ...(await deploy("ours", lanes.ours, modelCounts, say)),
    ];
    const results = deployed.map((one) => ({ ...one, resources: 0, seconds: [] as number[] }));
    for (let round = 1; round <= rounds; round += 1) {
      for (const result of results) {
        say(`round ${round} of ${rounds}: preview of ${title(result)}`);
        const { seconds, resources } = await preview(result);
        result.seconds.push(seconds);
        result.resources = resources;
      }
    }
    return results;
  } finally {
    await Promise.all(Object.values(lanes).map((lane) => lane.dispose()));
  }
}

/** Deploys one number of models after the other, each on top of the one before. */
async function deploy(
  program: Which,
  lane: Lane,
  counts: readonly number[],
  say: (line: string) => void,
): Promise<Deployed[]> {
  const deployed: Deployed[] = [];
  await lane.begin(stack);
  // Without it, the engine writes all of the state at each step, which takes many minutes with 500 models.
  await lane.program.kill();
  process.env["PULUMI_SKIP_CHECKPOINTS"] = "true";
  for (const models of counts) {
    say(`deploying ${title({ program, models })}`);
    setModels(lane.folder, models);
    const outcome = await lane.run("up");
    if (!outcome.ok) throw new UserError(`the deployment failed: ${outcome.error ?? ""}\n${outcome.text}`);
    deployed.push({ program, lane, models, snapshot: lane.snapshot() });
  }
  delete process.env["PULUMI_SKIP_CHECKPOINTS"];
  return deployed;
}

async function preview({
  lane,
  snapshot,
  ...what
}: Deployed): Promise<{ seconds: number; resources: number }> {
  await lane.program.kill();
  lane.beginFrom(snapshot);
  await lane.providers.running();
  const start = performance.now();
  const { ok, error, text, changes } = await lane.run("preview");
  const seconds = (performance.now() - start) / 1000;
  const { same = 0, ...others } = changes;
  if (!ok || Object.keys(others).length > 0)
    throw new UserError(`the preview of ${title(what)} is not empty: ${error ?? ""}\n${text}`);
  return { seconds, resources: same };
}

/** Adds models of the cheapest kind to the stack's own, and the room for them. */
function setModels(folder: string, count: number): void {
  const file = path.join(folder, `Pulumi.${stack}.yaml`);
  const settings = parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> };
  const own = (settings.config["mlplatform:models"] as readonly unknown[]).slice(0, 1);
  const added = Array.from({ length: Math.max(0, count - own.length) }, (_, index) => ({
    name: `model-${index + 1}`,
    server: "XGBOOST_SERVER",
    model: `s3://models/model-${index + 1}`,
  }));
  settings.config["mlplatform:models"] = [...own, ...added];
  if (added.length > 0)
    settings.config["mlplatform:modelQuota"] = { cpu: "1000", memory: "2000Gi", pods: 5000 };
  writeFileSync(file, stringify(settings));
}

/** What is previewed, in words. */
export function title({ program, models }: { readonly program: Which; readonly models: number }): string {
  return program === "empty" ? "the empty program" : `${models} model${models === 1 ? "" : "s"}`;
}
