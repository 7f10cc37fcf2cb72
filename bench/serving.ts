import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { UserError } from "../cli/errors";
import { type OwnServed, hasOwnServer } from "../config/manifests";
import { sendTo } from "../cli/exchange";
import { defaultModels } from "../cli/local/models";
import { servingEnvironment } from "../cli/lockFiles";
import { mlAppDir, projectDir } from "../cli/paths";
import { choosePort, localHost } from "../cli/ports";
import { stop } from "../cli/ownProcesses";
import { type Command, Service, run } from "../cli/process";
import { type Environment, Environments } from "../cli/python";
import { firstOutputs } from "../cli/protocols/answer";
import { predict } from "../cli/protocols/seldon";
import { type Load, load } from "./load";
import type { BenchResult } from "./main";

const [model] = defaultModels.filter(hasOwnServer) as [OwnServed];
const connectionCounts = [1, 8] as const;
/** The two ways take turns, so that both meet the machine in the same states. */
const rounds = 3;
const comparedRows = 500;
const warmUpSeconds = 1;
const relativeTolerance = 1e-6;

/** Predictions of scikit-learn itself. */
interface Expected {
  readonly rows: readonly number[][];
  readonly predictions: readonly number[];
}

type Way = "plain" | "ours";

/**
 * Single-row predictions of one model file over REST: the original article's way (a class around scikit-learn in
 * `seldon-core-microservice` with its default settings) against the platform's server.
 *
 * @param seconds how long each measurement takes.
 * @param say is told what is being done.
 * @throws UserError a server does not start, fails a request, or answers otherwise than scikit-learn.
 */
export async function serving(seconds: number, say: (line: string) => void): Promise<BenchResult> {
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-bench-"));
  try {
    const environments = new Environments(new AbortController().signal);
    const environment = await environments.ensure(servingEnvironment(model), { detail: say });
    say("training a model on the sample");
    const expected = await trainModel(environment, folder);
    const measured: Record<Way, Load[][]> = { plain: [], ours: [] };
    const differences: Record<Way, number> = { plain: 0, ours: 0 };
    for (let round = 1; round <= rounds; round += 1) {
      for (const way of ["plain", "ours"] as const) {
        await withServer(way, environment, folder, async (url) => {
          differences[way] = await largestDifference(url, expected);
          measured[way].push(
            await measure(url, seconds, (what) => {
              say(`round ${round} of ${rounds}: ${way}, ${what}`);
            }),
          );
        });
      }
    }
    return report(measured, differences);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function trainModel(environment: Environment, folder: string): Promise<Expected> {
  const model = path.join(folder, "model");
  mkdirSync(model);
  const command = {
    name: "training for the bench",
    file: environment.python,
    args: [path.join(projectDir, "bench", "plain", "train.py"), model, String(comparedRows)],
    env: { PYTHONPATH: mlAppDir },
    log: path.join(folder, "train.log"),
  };
  return JSON.parse(await run(command, new AbortController().signal)) as Expected;
}

/** Starts a server, uses it, and stops it. */
async function withServer(
  way: Way,
  environment: Environment,
  folder: string,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const taken = new Set<number>();
  const [rest, grpc, metrics] = [
    await choosePort(9000, taken),
    await choosePort(5000, taken),
    await choosePort(6000, taken),
  ];
  const ports = {
    PREDICTIVE_UNIT_HTTP_SERVICE_PORT: String(rest),
    PREDICTIVE_UNIT_GRPC_SERVICE_PORT: String(grpc),
    PREDICTIVE_UNIT_METRICS_SERVICE_PORT: String(metrics),
  };
  const log = path.join(folder, `${way}.log`);
  const command =
    way === "plain" ? plain(environment, folder, log, ports) : ours(environment, folder, log, ports);
  const service = await Service.start(command);
  const url = `http://${localHost}:${rest}`;
  try {
    const answers = async () => (await fetch(`${url}/health/ping`)).ok;
    await service.ready(answers, 60, new AbortController().signal);
    await use(`${url}/predict`);
  } finally {
    await stop(service.identity);
  }
}

type Ports = Readonly<Record<string, string>>;

function plain(environment: Environment, folder: string, log: string, ports: Ports): Command {
  const args = ["seldon_core.microservice", "PlainHousePrice", "--service-type", "MODEL"];
  return environment.module("the plain server", log, args, {
    ...ports,
    PYTHONPATH: path.join(projectDir, "bench", "plain"),
    PREDICTIVE_UNIT_PARAMETERS: parameter("model_file", path.join(folder, "model", "model.skops")),
  });
}

function ours(environment: Environment, folder: string, log: string, ports: Ports): Command {
  return environment.module("the platform's server", log, ["modelserver", model.serving.class], {
    ...ports,
    PREDICTIVE_UNIT_PARAMETERS: parameter("model_dir", path.join(folder, "model")),
  });
}

function parameter(name: string, value: string): string {
  return JSON.stringify([{ name, value, type: "STRING" }]);
}

/** The largest relative difference of a server's answers from scikit-learn's. @throws UserError it is too large. */
async function largestDifference(url: string, { rows, predictions }: Expected): Promise<number> {
  const answers = firstOutputs(await predict(sendTo(url), { ndarray: rows }));
  const differences = predictions.map(
    (expected, row) => Math.abs((answers[row] ?? NaN) - expected) / expected,
  );
  const largest = Math.max(...differences);
  if (!(largest <= relativeTolerance)) throw new UserError(`${url} differs from scikit-learn by ${largest}`);
  return largest;
}

async function measure(url: string, seconds: number, say: (what: string) => void): Promise<Load[]> {
  const body = JSON.stringify({ data: { ndarray: [model.example] } });
  const loads: Load[] = [];
  for (const connections of connectionCounts) {
    say(`${connections} connection(s)`);
    await load(url, body, connections, warmUpSeconds);
    loads.push(await load(url, body, connections, seconds));
  }
  return loads;
}

function report(measured: Record<Way, Load[][]>, differences: Record<Way, number>): BenchResult {
  const figures: Record<string, number> = {};
  const rows = connectionCounts.flatMap((connections, index) => {
    const [before, now] = (["plain", "ours"] as const).map((way) =>
      mean(measured[way].map((round) => round[index])),
    );
    if (before === undefined || now === undefined) throw new Error("nothing was measured");
    const lines = [
      ["requests per second", "rps", before.requestsPerSecond, now.requestsPerSecond],
      ["p50, ms", "p50_ms", before.p50, now.p50],
      ["p99, ms", "p99_ms", before.p99, now.p99],
    ] as const;
    return lines.map(([title, key, was, is]) => {
      const name = `${key}_c${connections}`;
      Object.assign(figures, {
        [`plain_${name}`]: rounded(was),
        [`ours_${name}`]: rounded(is),
        [`ratio_${name}`]: rounded(is / was),
      });
      return [`${title}, ${connections} connection(s)`, was.toFixed(2), is.toFixed(2), (is / was).toFixed(2)];
    });
  });
  figures["plain_largest_relative_difference"] = differences.plain;
  figures["ours_largest_relative_difference"] = differences.ours;
  const exactness = [differences.plain, differences.ours].map((value) => value.toExponential(1));
  rows.push([`largest relative difference from scikit-learn, ${comparedRows} rows`, ...exactness, ""]);
  return { head: ["single-row predictions", "plain", "ours", "ours / plain"], rows, figures };
}

function mean(loads: readonly (Load | undefined)[]): Load | undefined {
  const known = loads.filter((one) => one !== undefined);
  if (known.length === 0) return undefined;
  const of = (key: keyof Load) => known.reduce((sum, one) => sum + one[key], 0) / known.length;
  return { requestsPerSecond: of("requestsPerSecond"), p50: of("p50"), p99: of("p99") };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
