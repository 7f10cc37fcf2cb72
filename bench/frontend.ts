import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import * as path from "node:path";

import type { Browser } from "playwright-core";

import { UserError } from "../cli/errors";
import { defaultModels } from "../cli/local/models";
import { mlAppDir } from "../cli/paths";
import { findChromium, launch } from "../test/browser/browser";
import { TestPlatform, lastEvent } from "../test/local/support/platform";
import type { BenchResult } from "./main";

const rounds = 5;
const tableRows = 1_000;
/** What the page may take at most. */
const bounds = { firstPage: 2, table: 3, idle: 256 } as const;

/**
 * The front end's page, in a real browser that has nothing of it yet: until the models are listed, until 1,000 rows are
 * answered and drawn, and its memory before anybody has come and after; against what each may take at most.
 *
 * @param say is told what is being done.
 * @throws UserError there is no browser, or the platform does not come up.
 */
export async function frontend(say: (line: string) => void): Promise<BenchResult> {
  const found = findChromium();
  if ("missing" in found) throw new UserError(found.missing);
  const [model] = defaultModels;
  if (model === undefined) throw new UserError("no manifest says that its model is a default.");
  const platform = new TestPlatform();
  let browser: Browser | undefined;
  try {
    say("npm run up");
    const up = await platform.run(["up", "--detach", "--json"]);
    if (up.code !== 0) throw new UserError(up.stderr);
    const base = String(lastEvent(up.events, "up")["frontend"]);
    const idle = memory(platform.services()["frontend"]);
    browser = await launch(found.file);
    const pages: number[] = [];
    const tables: number[] = [];
    const buffer = sample(model.folder);
    for (let round = 0; round < rounds; round += 1) {
      say(`round ${round + 1} of ${rounds}`);
      const context = await browser.newContext();
      const page = await context.newPage();
      pages.push(await seconds(() => page.goto(base), page.getByRole("row", { name: model.name })));
      await page.goto(`${base}/table`);
      await page.getByText(`${model.name} version`).waitFor();
      const file = page.locator("input[type=file]");
      const upload = () => file.setInputFiles({ name: "rows.csv", mimeType: "text/csv", buffer });
      const drawn = page.getByTestId("stVegaLiteChart").locator("canvas, svg").first();
      tables.push(await seconds(upload, drawn));
      await context.close();
    }
    const used = memory(platform.services()["frontend"]);
    return report(median(pages), median(tables), idle, used);
  } finally {
    await browser?.close();
    await platform.dispose();
  }
}

function report(firstPage: number, table: number, idle: number, used: number): BenchResult {
  const shown = [
    ["first page, s", firstPage, bounds.firstPage],
    [`${tableRows.toLocaleString("en-US")} rows answered and drawn, s`, table, bounds.table],
    ["memory when nobody has come, MiB", idle, bounds.idle],
    ["memory after the tables, MiB", used, bounds.idle],
  ] as const;
  const over = shown.filter(([, value, bound]) => value > bound).map(([what]) => what);
  return {
    head: ["front end", "measured", "at most"],
    rows: shown.map(([what, value, bound]) => [what, value.toFixed(2), String(bound)]),
    figures: { firstPageSeconds: firstPage, tableSeconds: table, idleMebibytes: idle, usedMebibytes: used },
    ...(over.length === 0 ? {} : { problem: `over the bound: ${over.join("; ")}` }),
  };
}

/** Seconds from what is done until something is seen. */
async function seconds(
  act: () => Promise<unknown>,
  seen: { readonly waitFor: () => Promise<void> },
): Promise<number> {
  const began = performance.now();
  await act();
  await seen.waitFor();
  return (performance.now() - began) / 1000;
}

/** Resident memory of a process, in MiB. */
function memory(pid: number | undefined): number {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) / 1024;
}

/** Rows of the model's sample, over and over until there are enough. */
function sample(folder: string): Buffer {
  const text = readFileSync(path.join(mlAppDir, folder, "sample.csv"), "utf8");
  const [head = "", ...lines] = text.trim().split("\n");
  const rows = Array.from({ length: tableRows }, (_, at) => lines[at % lines.length] ?? "");
  return Buffer.from([head, ...rows].join("\n"));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
