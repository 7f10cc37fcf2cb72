import { readFileSync } from "node:fs";

import { parse } from "csv-parse/sync";
import { isScalar, parseDocument } from "yaml";

import { UserError, messageOf } from "./errors";
import { typed } from "./paths";
import type { Rows } from "./protocols/answer";

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
    value = JSON.parse(text);
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

/**
 * Reads rows from a CSV file, separated by commas or semicolons, whose first line names the features; columns that are
 * no feature must not be there.
 *
 * @throws UserError the file cannot be read, or a column is there twice.
 */
export function rowsFromCsv(file: string): Rows {
  const place = typed(file);
  let records: Record<string, string>[];
  try {
    const text = readFileSync(place, "utf8");
    records = parse(text, {
      delimiter: separatorOf(text),
      columns: (names: string[]) => {
        refuseRepetition(firstRepeated(names), `--csv: ${file}, line 1`);
        return names;
      },
      skip_empty_lines: true,
      bom: true,
      trim: true,
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`--csv: cannot read ${file}: ${messageOf(error)}`);
  }
  if (records.length === 0)
    throw new UserError(`--csv: ${file} has no rows below its first line, the features' names.`);
  return fromObjects(records.map(valuesOf));
}

function namedFeatures(words: readonly string[]): Record<string, unknown> {
  const pairs = words.map((word) => /^([^=]+)=(.*)$/s.exec(word));
  const wrong = words.find((_, index) => pairs[index] === null);
  if (wrong !== undefined) {
    throw new UserError(`"${wrong}" is neither JSON nor name=value. For example: bedrooms=3 bathrooms=1.5 …`);
  }
  refuseRepetition(firstRepeated(pairs.map((pair) => pair?.[1])), "the row");
  return valuesOf(Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? "", pair?.[2] ?? ""])));
}

/** A comma, or a semicolon if the first line has more of those; `ml-app/modelkit/datasets.py` decides the same. */
function separatorOf(text: string): string {
  const first = text.trimStart().split("\n", 1)[0] ?? "";
  return first.split(";").length > first.split(",").length ? ";" : ",";
}

/** A name that is there twice would count with its last value alone. @throws UserError there is one. */
function refuseRepetition(name: string | undefined, place: string): void {
  if (name !== undefined) throw new UserError(`${place}: the name "${name}" is there twice; give each once.`);
}

function firstRepeated(names: readonly (string | undefined)[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) < index);
}

/** A key that an object in a JSON text has twice, which `JSON.parse` does not tell. Every JSON text is a YAML one. */
function repeatedKey(text: string): string | undefined {
  let repeated: string | undefined;
  parseDocument(text, {
    uniqueKeys: (one, other) => {
      const same = isScalar(one) && isScalar(other) && one.value === other.value;
      if (same) repeated ??= String(one.value);
      return same;
    },
  });
  return repeated;
}

/** Texts as the values that they look like: what is not there is null. */
function valuesOf(texts: Record<string, string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, valueOf(text)]));
}

function valueOf(text: string): unknown {
  const plain = text.trim();
  if (plain === "") return null;
  if (plain === "true" || plain === "false") return plain === "true";
  return Number.isFinite(Number(plain)) ? Number(plain) : text;
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
