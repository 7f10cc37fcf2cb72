import { readFileSync } from "node:fs";
import * as path from "node:path";

import { parse } from "yaml";

import { UserError } from "./errors";
import { type Answer, type ModelClient, type Rows, firstOutputs } from "./protocols/answer";

/** What training recorded with a model: rows, the predictions it made, and the libraries it made them with. */
export interface ParityRecord {
  readonly names: readonly string[];
  readonly rows: readonly (readonly number[])[];
  readonly predictions: readonly number[];
  readonly libraries: Readonly<Record<string, string>>;
  /** Type of the predictions. @default float64 */
  readonly dtype?: keyof typeof relativeTolerances;
}

/** How far an answer of a type may lie from the recorded one, relative to it; as in `ml-app/modelkit/parity.py`. */
const relativeTolerances = { float64: 1e-6, float32: 1e-5 } as const;

/** Reads the record of a model folder. @throws UserError the folder has none. */
export function readParityRecord(folder: string): ParityRecord {
  const file = path.join(folder, "MLmodel");
  return parityRecord(readFileSync(file, "utf8"), file);
}

/**
 * The record in the text of a model's `MLmodel`.
 *
 * @param where the text comes from, for the error.
 * @throws UserError there is none.
 */
export function parityRecord(text: string, where: string): ParityRecord {
  const content = parse(text) as { metadata?: { mlplatform?: ParityRecord } } | null;
  const record = content?.metadata?.mlplatform;
  if (record === undefined) {
    throw new UserError(
      `${where} has no rows recorded at training: it is not a model of this platform's training.`,
    );
  }
  return record;
}

/**
 * Checks that a running server answers the recorded rows with the same numbers; nothing is in service before.
 *
 * A server can load a model file without a word and compute something else: a model of XGBoost 3 in XGBoost 2.1
 * answers 0.022 where training answered 5.160.
 *
 * @throws UserError it does not, with both numbers and the libraries of the training.
 */
export async function checkParity(model: ModelClient, record: ParityRecord): Promise<void> {
  compareWithRecord(await model.ask(recordedRows(record)), record);
}

/** The rows that were recorded, to be asked for. */
export function recordedRows({ names, rows }: ParityRecord): Rows {
  return { names, ndarray: rows };
}

/** Compares an answer for the recorded rows with those of the training. @throws UserError as {@link checkParity} does. */
export function compareWithRecord(answer: Answer, record: ParityRecord): void {
  const answers = firstOutputs(answer);
  const tolerance = relativeTolerances[record.dtype ?? "float64"];
  const wrong = record.predictions.flatMap((expected, row) => {
    const answered = answers[row] ?? NaN;
    const same =
      Math.abs(answered - expected) <= tolerance * Math.max(Math.abs(answered), Math.abs(expected));
    return same ? [] : [`    row ${row}: answered ${answered}, training answered ${expected}`];
  });
  if (wrong.length === 0 && answers.length === record.predictions.length) return;
  const libraries = Object.entries(record.libraries).map(([name, version]) => `${name} ${version}`);
  throw new UserError(
    `the model server does not answer as the model did at training, so it is not put into service:\n` +
      `${wrong.join("\n")}\n  Trained with ${libraries.join(", ")}; compare with the server's versions.`,
  );
}
