import { readFileSync } from "node:fs";
import * as path from "node:path";

import { parse } from "yaml";

import { UserError } from "./errors";
import { type Answer, type ModelClient, type Output, type Rows, outputs } from "./protocols/answer";

/** What training recorded with a model: rows, the predictions it made, and the libraries it made them with. */
export interface ParityRecord {
  readonly names: readonly string[];
  readonly rows: readonly (readonly number[])[];
  /** The answer to each row: a number, or of a classifier one for each class. */
  readonly predictions: readonly (number | readonly number[])[];
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
  const answers = outputs(answer);
  const wrong = record.predictions.flatMap((prediction, row) => {
    const expected = typeof prediction === "number" ? [prediction] : prediction;
    // A model that answers one number may answer more beside it.
    const answered = (answers[row] ?? []).slice(0, typeof prediction === "number" ? 1 : undefined);
    if (isSameRow(answered, expected, record)) return [];
    return [`    row ${row}: answered ${answered.join(", ")}, training answered ${expected.join(", ")}`];
  });
  if (wrong.length === 0 && answers.length === record.predictions.length) return;
  const libraries = Object.entries(record.libraries).map(([name, version]) => `${name} ${version}`);
  throw new UserError(
    `the model server does not answer as the model did at training, so it is not put into service:\n` +
      `${wrong.join("\n")}\n  Trained with ${libraries.join(", ")}; compare with the server's versions.`,
  );
}

function isSameRow(
  answered: readonly Output[],
  expected: readonly number[],
  { dtype = "float64" }: ParityRecord,
): boolean {
  const tolerance = relativeTolerances[dtype];
  // What is far below the greatest number of an answer is rounding: a probability of 1e-12 beside one of 1.
  const least = expected.length > 1 ? tolerance * Math.max(...expected.map(Math.abs)) : 0;
  return (
    answered.length === expected.length &&
    expected.every((other, index) => {
      const one = answered[index];
      if (typeof one !== "number") return false;
      return Math.abs(one - other) <= Math.max(least, tolerance * Math.max(Math.abs(one), Math.abs(other)));
    })
  );
}
