/** What the bench of serving compares: for each model a file of it, a plain server, ours, and what they are asked. */
import { mkdirSync } from "node:fs";
import * as path from "node:path";

import { standardSettings } from "../components/serving/standardServer";
import { type Manifest, hasOwnServer } from "../config/manifests";
import { type Told, mlserverCommand, serverCommand } from "../cli/local/modelServer";
import { servingEnvironment } from "../cli/lockFiles";
import { mlAppDir, projectDir } from "../cli/paths";
import { type Command, run } from "../cli/process";
import type { Environment, Environments } from "../cli/python";
import type { Asked, Question } from "./load";

/** `plain`: as it comes; `ours`: as the platform sets it up. */
export type Way = "plain" | "ours";

/** Rows that are asked for, with the predictions of the model's own library. */
const comparedRows = 500;

/** What a training for the bench says of its model. */
interface Trained {
  readonly rows: readonly number[][];
  readonly predictions: readonly number[];
  /** Calls of the library in a second, in the process that has trained, by the number of rows of a call. */
  readonly callsPerSecond?: Readonly<Record<number, number>>;
}

/** A model that the ways serve. */
export interface Contest {
  readonly manifest: Manifest;
  /** Numbers of rows that a request has. */
  readonly batches: readonly number[];
  readonly callsPerSecond: Readonly<Record<number, number>>;
  /** The command of a way's server. */
  readonly server: (way: Way, told: Told) => Command;
  /** The command of a server that answers each request with what a file holds: no server in Python is faster. */
  readonly limit?: (port: number, file: string) => Command;
  /** What a server is asked with so many rows in a request. */
  readonly asked: (rows: number) => Omit<Asked, "url">;
}

/** What has both ways to serve a model, and what trains it. */
function environmentOf(manifest: Manifest): string {
  return hasOwnServer(manifest) ? "serving-dev" : servingEnvironment(manifest);
}

/** Trains a model on the sample. */
export async function contest(
  manifest: Manifest,
  environments: Environments,
  folder: string,
  say: (line: string) => void,
): Promise<Contest> {
  const environment = await environments.ensure(environmentOf(manifest), { detail: say });
  const files = path.join(folder, manifest.name);
  mkdirSync(files);
  say(`${manifest.name}: training on the sample`);
  return hasOwnServer(manifest)
    ? {
        ...contestOf(manifest, await train(environment, "train.py", [files]), seldon),
        batches: [1],
        limit: (port, file) => limitServer(environment, port, file),
        server: (way, told) =>
          way === "plain"
            ? articleServer(environment, told, path.join(files, "model.skops"))
            : serverCommand(manifest, environment, told, files),
      }
    : {
        ...contestOf(manifest, await train(environment, "wine.py", [manifest.folder, files]), openInference),
        batches: [1, 100],
        server: (way, told) =>
          way === "plain"
            ? mlserverCommand(manifest, environment, told, files)
            : serverCommand(manifest, environment, told, files),
      };
}

/** How rows are put into a request of a protocol, and predictions taken out of an answer. */
interface Speech extends Pick<Asked, "predictionsIn" | "tolerance"> {
  readonly body: (rows: readonly number[][]) => unknown;
}

const seldon: Speech = {
  body: (rows) => ({ data: { ndarray: rows } }),
  predictionsIn: (answer) => (answer as { data: { ndarray: unknown[] } }).data.ndarray,
  tolerance: 1e-6,
};

const openInference: Speech = {
  body: (rows) => ({
    inputs: [{ name: "rows", shape: [rows.length, rows[0]?.length], datatype: "FP64", data: rows.flat() }],
  }),
  predictionsIn: (answer) => (answer as { outputs: [{ data: unknown[] }] }).outputs[0].data,
  // That of float32, in which XGBoost answers.
  tolerance: 1e-5,
};

function contestOf(manifest: Manifest, trained: Trained, { body, ...speech }: Speech) {
  const asked = (count: number) => {
    const questions: Question[] = [];
    for (let row = 0; row < trained.rows.length; row += count)
      questions.push({
        body: JSON.stringify(body(trained.rows.slice(row, row + count))),
        expected: trained.predictions.slice(row, row + count),
      });
    return { questions, ...speech };
  };
  return { manifest, callsPerSecond: trained.callsPerSecond ?? {}, asked };
}

async function train(environment: Environment, script: string, args: readonly string[]): Promise<Trained> {
  const command = {
    name: "training for the bench",
    file: environment.python,
    args: [path.join(projectDir, "bench", "plain", script), ...args, String(comparedRows)],
    env: { ...standardSettings, PYTHONPATH: mlAppDir },
    log: `${args.at(-1) ?? ""}.log`,
  };
  return JSON.parse(await run(command, new AbortController().signal)) as Trained;
}

/** The original article's way: a class around scikit-learn in `seldon-core-microservice` with its default settings. */
function articleServer(environment: Environment, told: Told, file: string): Command {
  const args = ["seldon_core.microservice", "PlainHousePrice", "--service-type", "MODEL"];
  return environment.module("the plain server", told.log, args, {
    PYTHONPATH: path.join(projectDir, "bench", "plain"),
    PREDICTIVE_UNIT_HTTP_SERVICE_PORT: String(told.behind.rest),
    PREDICTIVE_UNIT_GRPC_SERVICE_PORT: String(told.behind.grpc),
    PREDICTIVE_UNIT_METRICS_SERVICE_PORT: String(told.behind.metrics),
    PREDICTIVE_UNIT_PARAMETERS: JSON.stringify([{ name: "model_file", value: file, type: "STRING" }]),
  });
}

function limitServer({ python }: Environment, port: number, file: string): Command {
  const script = path.join(projectDir, "bench", "plain", "limit.py");
  return { name: "the limit", file: python, args: [script, String(port), file], env: {}, log: `${file}.log` };
}
