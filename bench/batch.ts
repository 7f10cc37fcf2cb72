import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { defaultModels } from "../cli/local/models";
import { trainingEnvironment } from "../cli/lockFiles";
import { stop } from "../cli/ownProcesses";
import { mlAppDir, projectDir } from "../cli/paths";
import { run } from "../cli/process";
import { Environments } from "../cli/python";
import { contest } from "./contestants";
import { load } from "./load";
import type { BenchResult } from "./main";
import { ready, start } from "./serving";

const workerCounts = [1, 2, 4] as const;
const { signal } = new AbortController();

/**
 * A table's rows in a second: the server asked for each, the model called once for all of them in its own process, with
 * reading and writing as a plain script has them and without, and scored from file to file by one and by several processes.
 *
 * @param rows of the table, which is the sample again and again.
 * @param seconds how long the server is asked.
 * @param say is told what is being done.
 * @throws UserError a model is not trained, or something fails.
 */
export async function batch(
  rows: number,
  seconds: number,
  say: (line: string) => void,
): Promise<BenchResult> {
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-bench-"));
  const environments = new Environments(signal);
  try {
    const [manifest] = defaultModels;
    if (manifest === undefined) throw new Error("the project has no model that is the default");
    const one = await contest(manifest, environments, folder, say);
    const files = path.join(folder, manifest.name);
    const table = path.join(folder, "table.csv");
    writeTable(table, path.join(mlAppDir, manifest.folder, "sample.csv"), rows);
    const python = await environments.ensure(trainingEnvironment(manifest), { detail: say });

    say("asking the server row by row");
    const server = await start(one, "ours", folder, new Set());
    const asked = await load({ ...one.asked(1), url: await ready(server) }, 1, seconds).finally(() =>
      stop(server.service.identity),
    );

    say(`calling the model once for ${rows} rows`);
    const script = path.join(projectDir, "bench", "plain", "whole.py");
    const whole = python.module("the model alone", path.join(folder, "whole.log"), []);
    const args = [script, manifest.folder, files, table, path.join(folder, "whole.csv")];
    const took = (await run({ ...whole, args }, signal)).split(" ").map(Number);
    const [inProcess = NaN, plain = NaN] = took.map((one) => rows / one);

    const score = async (workers: number): Promise<number> => {
      say(`scoring, ${workers} process${workers === 1 ? "" : "es"}`);
      const output = path.join(folder, `scores-${workers}.csv`);
      const began = performance.now();
      await Promise.all(
        Array.from({ length: workers }, (_, worker) => {
          const words = ["--files", files, "--name", manifest.name, "--version", "1", "--input", table];
          const share = ["--output", output, "--worker", String(worker), "--workers", String(workers)];
          const log = path.join(folder, `score-${workers}-${worker}.log`);
          return run(python.module("scoring", log, ["batch", manifest.folder, ...words, ...share]), signal);
        }),
      );
      return rows / ((performance.now() - began) / 1000);
    };
    const scored: number[] = [];
    for (const workers of workerCounts) scored.push(await score(workers));
    return report(asked.requestsPerSecond, inProcess, plain, scored);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeTable(file: string, sample: string, rows: number): void {
  const [head = "", ...lines] = readFileSync(sample, "utf8").trimEnd().split("\n");
  const all = Array.from({ length: rows }, (_, row) => lines[row % lines.length]);
  writeFileSync(file, `${[head, ...all].join("\n")}\n`);
}

function report(asked: number, inProcess: number, plain: number, scored: readonly number[]): BenchResult {
  const figures: Record<string, number> = {
    server_rows_per_second: Math.round(asked),
    in_process_rows_per_second: Math.round(inProcess),
    plain_script_rows_per_second: Math.round(plain),
  };
  const line = (name: string, perSecond: number) => [
    name,
    perSecond.toFixed(0),
    (perSecond / asked).toFixed(1),
    (perSecond / plain).toFixed(2),
    (perSecond / inProcess).toFixed(2),
  ];
  const rows = [
    line("the server, row by row", asked),
    line("the bare predict: the model called once, nothing read or written", inProcess),
    line("the model in-process as a script has it: read, predict once, write", plain),
  ];
  workerCounts.forEach((workers, at) => {
    const perSecond = scored[at] ?? NaN;
    figures[`rows_per_second_w${workers}`] = Math.round(perSecond);
    figures[`ratio_to_server_w${workers}`] = Math.round((perSecond / asked) * 10) / 10;
    figures[`ratio_to_plain_script_w${workers}`] = Math.round((perSecond / plain) * 100) / 100;
    figures[`ratio_to_in_process_w${workers}`] = Math.round((perSecond / inProcess) * 100) / 100;
    rows.push(line(`a table, ${workers} process${workers === 1 ? "" : "es"}`, perSecond));
  });
  const head = ["scoring", "rows per s", "times the server", "of the script", "of the bare predict"];
  return { head, rows, figures };
}
