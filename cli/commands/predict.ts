import { readFileSync } from "node:fs";

import type { Cluster } from "../cluster/cluster";
import { servedVersion, versionInWords } from "../serving/version";
import { proxyAddress, throughProxy, trackingService } from "../cluster/services";
import { clientThrough } from "../deploy/answers";
import { questionFor, questionOf } from "../deploy/question";
import { UserError, messageOf } from "../errors";
import { localClient } from "../local/modelServer";
import { exampleServed } from "../local/registered";
import { type LocalModel, readState } from "../local/state";
import { listed } from "../../config/words";
import { defaultModels, exampleOf } from "../local/models";
import { MlflowClient } from "../mlflow";
import { mostBytesAtOnce, plainFile } from "../plainFile";
import type { Answer, ModelClient, Rows } from "../protocols/answer";
import { clientAt } from "../protocols/protocols";
import { type CsvFile, readCsv, rowsFromCsv, rowsFromWords } from "../rows";
import { backend } from "../serving/backend";
import type { ServedPredictor } from "../serving/served";
import { answerTable } from "../table";
import { type TargetOptions, chooseTarget } from "../target";

/** Options of `npm run predict`. */
export interface PredictOptions extends TargetOptions {
  /** Name of a model in the cluster. @default the only one */
  readonly model?: string;
  readonly csv?: string;
  /** A file with a picture, for a model that takes one. */
  readonly picture?: string;
  readonly url?: string;
  readonly json?: boolean;
}

/**
 * `npm run predict`: sends rows to a model and prints its answer.
 *
 * Asks the model at `--url`, else the local one if it runs and no cluster is named, else one of the stack's cluster.
 *
 * @throws UserError the rows cannot be read, no model answers, or it refuses them.
 */
export async function predict(words: readonly string[], options: PredictOptions): Promise<void> {
  const ways = [words.length > 0, options.csv !== undefined, options.picture !== undefined];
  if (ways.filter(Boolean).length > 1)
    throw new UserError("give a row, --csv or --picture, and only one of them.");
  if (options.picture !== undefined) {
    const picture = readFileSync(plainFile("--picture", options.picture, mostBytesAtOnce));
    const { client, where } = await findModel(options);
    if (client.show === undefined) throw new UserError(`${where}, takes rows and no pictures.`);
    print(await client.show(picture), `${where}, for ${options.picture}`, options);
    return;
  }
  const table = options.csv === undefined ? undefined : readCsv(options.csv);
  const given = words.length === 0 ? undefined : rowsFromWords(words);
  const { client, where, example } = await findModel(options);
  const rows = table === undefined ? (given ?? (await example())) : await rowsFor(client, table);
  const answer = await client.ask(rows);
  const shownExample =
    given === undefined && table === undefined ? `, for ${JSON.stringify(rows.ndarray[0])}` : "";
  print(answer, `${where}${shownExample}`, options);
}

function print(answer: Answer, where: string, { json = false }: Pick<PredictOptions, "json">): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(answer)}\n`);
    return;
  }
  process.stdout.write(`${where}\n${answerTable(answer)}\n`);
  if (answer.note !== undefined) process.stderr.write(`${answer.note}\n`);
}

/** The rows of a file; what the model does not take is left out, and named. */
async function rowsFor({ takes }: ModelClient, table: CsvFile): Promise<Rows> {
  // Whoever does not tell what it takes is asked with all that is there.
  const known = await takes?.().catch(() => []);
  const { rows, note } = rowsFromCsv(table, known);
  if (note !== undefined) process.stderr.write(`${note}\n`);
  return rows;
}

/** A model, and where it was found. */
interface FoundModel {
  readonly client: ModelClient;
  readonly where: string;
  /** What it is asked where no row is given. @throws UserError nobody knows. */
  readonly example: () => Promise<Rows>;
}

async function findModel(options: PredictOptions): Promise<FoundModel> {
  const { url, model: name, stack, context, target } = options;
  if (url !== undefined) return modelAt(url);
  const local = Object.values(readState().models ?? {});
  const [model, ...others] = name === undefined ? local : local.filter((one) => one.name === name);
  const elsewhere = [stack, context].some((one) => one !== undefined) || target === "cluster";
  if (model === undefined || elsewhere) return findInCluster(options);
  if (others.length > 0)
    throw new UserError(
      `several models run here; choose one: --model NAME, of ${local.map((one) => one.name).join(", ")}.`,
    );
  return {
    where: `${model.name} version ${model.version}, local`,
    client: localClient(model),
    example: () => Promise.resolve(localExample(model)),
  };
}

async function findInCluster(options: PredictOptions): Promise<FoundModel> {
  const target = await chooseTarget(options);
  if (target.kind === "local") {
    const local = Object.keys(readState().models ?? {});
    throw new UserError(
      options.model === undefined || local.length === 0
        ? `no model runs: none is up locally, and ${target.reason}. Start: npm run up`
        : `no model ${options.model} runs here, but ${listed(local)}. Start it: npm run up -- --models ${options.model}`,
    );
  }
  const { cluster, context } = target;
  const models = await backend.models(cluster);
  const names = models.map(({ name }) => name).join(", ");
  const found = options.model === undefined ? models[0] : models.find(({ name }) => name === options.model);
  if (models.length > 1 && options.model === undefined)
    throw new UserError(
      `context ${context.name} serves several models; choose one: --model NAME, of ${names}.`,
    );
  const predictor = found?.predictors[0];
  if (found === undefined || predictor === undefined) {
    const there = names === "" ? "no model" : `only ${names}`;
    throw new UserError(
      `${options.model ?? "a model"} cannot be asked: context ${context.name} serves ${there}. Deploy: npm run up`,
    );
  }
  const client = clientThrough(cluster, found, predictor);
  const registry = new MlflowClient(proxyAddress(trackingService), throughProxy(cluster));
  const version = versionInWords(await servedVersion(registry, predictor), predictor);
  const { show, takes } = client;
  const refuse = (error: unknown) => {
    throw new UserError(
      `${found.name} in cluster ${context.name} cannot be asked: ${messageOf(error)}. See: npm run status`,
    );
  };
  return {
    where: `${[found.name, version].join(" ").trimEnd()}, in cluster ${context.name}`,
    example: () => exampleFor(cluster, found.name, predictor, client),
    client: {
      ask: (rows) => client.ask(rows).catch(refuse),
      ...(takes === undefined ? {} : { takes }),
      ...(show === undefined ? {} : { show: (picture: Buffer) => show(picture).catch(refuse) }),
    },
  };
}

/** @throws UserError it is no http or https URL. */
function modelAt(text: string): FoundModel {
  const where = predictAddress(text);
  const { client, unit } = clientAt(where);
  // Else what is at an address says nothing of the rows that it takes.
  const model = exampleOf(unit) === undefined ? (defaultModels[0]?.name ?? "") : unit;
  return { client, where, example: () => Promise.resolve(exampleRows(model)) };
}

/** That of a model's manifest, or the one among its files. @throws UserError there is none. */
function localExample({ name, version }: LocalModel): Rows {
  const logged = exampleOf(name) === undefined ? exampleServed(name, version) : undefined;
  return logged ?? exampleRows(name);
}

/** @throws UserError nobody knows what to ask. */
function exampleRows(model: string): Rows {
  const row = exampleOf(model);
  if (row === undefined)
    throw new UserError(`there is no example to ask ${model} for. Give a row, such as [1, 2].`);
  return { ndarray: [row] };
}

async function exampleFor(
  cluster: Cluster,
  model: string,
  predictor: ServedPredictor,
  client: ModelClient,
): Promise<Rows> {
  if (!predictor.chained && exampleOf(model) !== undefined) return exampleRows(model);
  const question = await (predictor.chained ? questionOf(client) : questionFor(cluster, predictor));
  if (question.kind === "example") return question.rows;
  if (question.kind === "training") return { ndarray: question.record.rows.slice(0, 1) };
  throw new UserError(
    `there is no example to ask ${model} for: ${question.reason}. Give a row, such as [1, 2] or name=1.`,
  );
}

/** A URL without a path means the model's own. @throws UserError it is no http or https URL. */
function predictAddress(text: string): string {
  const complete = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(complete) || !/^https?:/i.test(complete)) {
    throw new UserError(`--url: ${text} is no http or https address.`);
  }
  const url = new URL(complete);
  if (url.pathname === "/") url.pathname = "/predict";
  return url.href;
}
