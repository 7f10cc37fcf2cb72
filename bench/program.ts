import { UserError, messageOf } from "../cli/errors";
import type { BenchResult } from "./main";
import { type Cost, loadPrograms, which } from "./program-load";
import { type Previews, previewPrograms, title } from "./program-preview";

const loadRuns = 7;
const previewRounds = 3;

/**
 * What the program costs against an empty one: to load and evaluate it under mocks (dev stack), and a preview with
 * nothing to change on the real engine, with one to many models.
 *
 * @param say is told what is being done, and what could not be done.
 * @throws UserError a program fails.
 */
export async function program(say: (line: string) => void): Promise<BenchResult> {
  const figures: Record<string, number> = {};
  const rows = loadReport(await loadPrograms(loadRuns, say), figures);
  const previews = await previewsIfPossible(say);
  if (previews !== undefined) rows.push(...previewReport(previews, figures));
  return { head: ["the program", "empty", "ours", "ours / empty"], rows, figures };
}

async function previewsIfPossible(say: (line: string) => void): Promise<readonly Previews[] | undefined> {
  try {
    return await previewPrograms(previewRounds, say);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    say(`The previews were not measured: ${messageOf(error)}`);
    return undefined;
  }
}

type Row = readonly string[];

function loadReport(costs: Awaited<ReturnType<typeof loadPrograms>>, figures: Record<string, number>): Row[] {
  const lines = [
    ["loaded and evaluated, CPU seconds, least", "load_cpu_s_min", "cpuSeconds", least],
    ["loaded and evaluated, CPU seconds, median", "load_cpu_s_median", "cpuSeconds", median],
    ["memory at its peak, MB, least", "load_mb_min", "megabytes", least],
    ["resources", "load_resources", "resources", least],
  ] as const satisfies readonly (readonly [string, string, keyof Cost, typeof least])[];
  return lines.map(([name, key, field, of]) => {
    const [empty, ours] = which.map((one) => of(costs[one].map((cost) => cost[field])));
    if (empty === undefined || ours === undefined) throw new Error("nothing was measured");
    return row(name, key, empty, ours, figures);
  });
}

function previewReport(previews: readonly Previews[], figures: Record<string, number>): Row[] {
  const empty = previews.find(({ program }) => program === "empty");
  const ours = previews.filter(({ program }) => program === "ours");
  const [smallest, largest] = [ours[0], ours.at(-1)];
  if (empty === undefined || smallest === undefined || largest === undefined)
    throw new Error("nothing was previewed");
  const rows = ours.flatMap((one) => [
    ...(["least", "median"] as const).map((kind) => {
      const of = { least, median }[kind];
      const name = `preview without changes, ${title(one)} (${one.resources} resources), seconds, ${kind}`;
      const key = `preview_s_${kind === "least" ? "min" : kind}_m${one.models}`;
      figures[`resources_m${one.models}`] = one.resources;
      return row(name, key, of(empty.seconds), of(one.seconds), figures);
    }),
  ]);
  const further =
    ((least(largest.seconds) - least(smallest.seconds)) * 1000) / (largest.resources - smallest.resources);
  figures["preview_ms_per_further_resource"] = rounded(further);
  return [...rows, ["each further resource, ms", "", further.toFixed(1), ""]];
}

/** A line of the table. Its figures go where the others are; a ratio to nothing is left out. */
function row(name: string, key: string, empty: number, ours: number, figures: Record<string, number>): Row {
  figures[`empty_${key}`] = rounded(empty);
  figures[`ours_${key}`] = rounded(ours);
  if (empty > 0) figures[`ratio_${key}`] = rounded(ours / empty);
  const shown = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(2));
  return [name, shown(empty), shown(ours), empty > 0 ? (ours / empty).toFixed(2) : ""];
}

function least(values: readonly number[]): number {
  return Math.min(...values);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? NaN;
  return (at(Math.floor((sorted.length - 1) / 2)) + at(Math.ceil((sorted.length - 1) / 2))) / 2;
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
