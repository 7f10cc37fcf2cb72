import { readFileSync } from "node:fs";

import { UserError, messageOf } from "./errors";
import { exactNumber, parsedExactly, repeatedKey } from "./exactJson";
import { mostBytesAtOnce, plainFile } from "./plainFile";
import type { Rows } from "./protocols/answer";
import { type Cells, TableFileError, readCells, withPoints } from "./tableFile";

/**
 * Reads rows from what a user typed.
 *
 * @param words one JSON value (a row, several rows, or one or several objects with named features), or words of the
 *   form `name=value`.
 * @throws UserError the words are neither, or have a name twice.
 */
export function rowsFromWords(words: readonly string[]): Rows {
  const text = words.join(" ").trim();
  if (!/^[[{]/.test(text)) return fromObjects([namedFeatures(words)]);
  let value: unknown;
  try {
    value = parsedExactly(text);
  } catch (error) {
    throw new UserError(
      `the row is not JSON: ${messageOf(error)}. For example: [3, 1.5, 1340, …] or bedrooms=3 …`,
    );
  }
  refuseRepetition(repeatedKey(text), "the row");
  if (!Array.isArray(value)) return fromObjects([value as Record<string, unknown>]);
  if (value.every((row) => Array.isArray(row))) return { ndarray: value as unknown[][] };
  if (value.every((row) => typeof row === "object" && row !== null)) return fromObjects(value);
  return { ndarray: [value] };
}

/** A CSV file with rows for a model. */
export interface CsvFile {
  readonly file: string;
  readonly table: Cells;
}

/**
 * Reads a CSV file, whose first line names the features.
 *
 * @throws UserError it cannot be read, is something else, has no rows, or a column is there twice, or several have no name.
 */
export function readCsv(file: string): CsvFile {
  const place = plainFile("--csv", file, mostBytesAtOnce);
  const table = reported(file, () => readCells(readFileSync(place)));
  refuseRepetition(firstRepeated(table.names.filter((name) => name !== "")), `--csv: ${file}, line 1`);
  const unnamed = table.names.flatMap((name, place) => (name === "" ? [place + 1] : []));
  if (unnamed.length > 1)
    throw new UserError(
      `--csv: ${file}, line 1: columns ${unnamed.slice(0, -1).join(", ")} and ${unnamed.at(-1)} have no name; give each one.`,
    );
  if (table.rows.length === 0)
    throw new UserError(`--csv: ${file} has no rows below its first line, the features' names.`);
  return { file, table };
}

/**
 * The rows of a file for a model; columns that it does not know are left out.
 *
 * @param known the names of what the model takes, where it tells them.
 * @returns with them what was left out, in a sentence; undefined if nothing was.
 * @throws UserError a row is of another width, or it cannot be known which number a cell stands for.
 */
export function rowsFromCsv(
  { file, table: { names, rows, separator } }: CsvFile,
  known: readonly string[] = [],
): { readonly rows: Rows; readonly note?: string } {
  const unknown = names.filter((name) => !known.includes(name));
  const unnamed = `column ${names.indexOf("") + 1}, which has no name`;
  const told = (left: readonly string[]) =>
    notTaken(
      left.map((name) => name || unnamed),
      missing,
    );
  // What takes none of the names takes rows by another name, or tells so better itself.
  const left = unknown.length < names.length ? unknown : [];
  const missing = known.filter((name) => !names.includes(name));
  const ragged = rows.find(({ cells }) => cells.length !== names.length);
  if (ragged !== undefined) {
    const lacking = missing.length > 0 && left.length > 0 ? ` For its names: ${told(left)}` : "";
    throw new UserError(
      `--csv: ${file}, line ${ragged.line}: ${ragged.cells.length} cells, and the first line has ${names.length}.${lacking}`,
    );
  }
  const kept = names.flatMap((name, place) => (left.includes(name) ? [] : [place]));
  const of = <T>(row: readonly T[]) => kept.map((place) => row[place] as T);
  const table = reported(file, () =>
    withPoints({
      names: of(names),
      separator,
      rows: rows.map(({ line, cells }) => ({ line, cells: of(cells) })),
    }),
  );
  const ndarray = table.rows.map(({ cells }) => cells.map(valueOf));
  return {
    rows: { names: table.names, ndarray },
    ...(left.length === 0 ? {} : { note: `${file}: ${told(left)}` }),
  };
}

function notTaken(left: readonly string[], missing: readonly string[]): string {
  const also = missing.length === 0 ? "" : ` It also takes ${missing.join(", ")}.`;
  return `the model does not take ${left.join(", ")}: left out.${also}`;
}

/** What a file is read by, with its name in the error. @throws UserError */
function reported<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const reason = messageOf(error);
    throw new UserError(
      error instanceof TableFileError ? `--csv: ${file} ${reason}.` : `--csv: cannot read ${file}: ${reason}`,
    );
  }
}

function namedFeatures(words: readonly string[]): Record<string, unknown> {
  const pairs = words.map((word) => /^([^=]+)=(.*)$/s.exec(word));
  const wrong = words.find((_, index) => pairs[index] === null);
  if (wrong !== undefined) {
    const model = /^[a-z][-a-z0-9]*$/.test(wrong) ? " Which model is asked says --model NAME." : "";
    throw new UserError(
      `"${wrong}" is neither JSON nor name=value. For example: bedrooms=3 bathrooms=1.5 …${model}`,
    );
  }
  refuseRepetition(firstRepeated(pairs.map((pair) => pair?.[1])), "the row");
  return valuesOf(Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? "", pair?.[2] ?? ""])));
}

/** A name that is there twice would count with its last value alone. @throws UserError there is one. */
function refuseRepetition(name: string | undefined, place: string): void {
  if (name !== undefined) throw new UserError(`${place}: the name "${name}" is there twice; give each once.`);
}

function firstRepeated(names: readonly (string | undefined)[]): string | undefined {
  const before = new Set<string | undefined>();
  return names.find((name) => before.size === before.add(name).size);
}

/** Texts as the values that they look like. */
function valuesOf(texts: Record<string, string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, valueOf(text)]));
}

/** What is not there is null. */
function valueOf(text: string): unknown {
  const plain = text.trim();
  if (plain === "") return null;
  if (plain === "true" || plain === "false") return plain === "true";
  return exactNumber(plain) ?? text;
}

/** Objects with the same names as rows under these names; the model matches the names to its features. */
function fromObjects(objects: readonly Record<string, unknown>[]): Rows {
  const names = Object.keys(objects[0] ?? {});
  const differs = objects.findIndex(
    (object) => Object.keys(object).length !== names.length || names.some((name) => !(name in object)),
  );
  if (differs >= 0)
    throw new UserError(`row ${differs} names other features than row 0 (${names.join(", ")}).`);
  return { names, ndarray: objects.map((object) => names.map((name) => object[name])) };
}
