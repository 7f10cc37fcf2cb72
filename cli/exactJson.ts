/** JSON in which whole numbers of any size stay what they are: a double holds them up to 2^53 only. */
import { randomUUID } from "node:crypto";

import { parseDocument, visit } from "yaml";

import { UserError } from "./errors";

/** What stands before the digits of such a number, in a text that nobody else writes. */
const mark = `${randomUUID()}:`;
const marked = new RegExp(`"${mark}(-?[0-9]+)"`, "g");
const decimal = /^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/;
const tokens = /"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/g;

/** The value of a JSON text: whole numbers that no double holds are bigints. @throws SyntaxError it is none. */
export function parsedExactly(text: string): unknown {
  JSON.parse(text);
  const kept = text.replaceAll(tokens, (token) =>
    token.startsWith('"') ? token : isWhole(token) && !isSafe(token) ? `"${mark}${token}"` : token,
  );
  return JSON.parse(kept, (_, value: unknown) =>
    typeof value === "string" && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value,
  );
}

/** A value as JSON, with the digits of its bigints. @throws UserError a number is too large, which JSON would make null. */
export function exactJson(value: unknown): string {
  const text = JSON.stringify(value, (_, one: unknown) => {
    if (typeof one === "number" && !Number.isFinite(one))
      throw new UserError("a number is too large: no model takes more than 1.8e308.");
    return typeof one === "bigint" ? `${mark}${one}` : one;
  });
  return text.replaceAll(marked, "$1");
}

/** The number that a text without blanks stands for, in decimal; undefined if it is none: a training takes no other. */
export function exactNumber(text: string): number | bigint | undefined {
  if (/^[+-]?[0-9]+$/.test(text) && !isSafe(text)) return BigInt(text.replace("+", ""));
  return decimal.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined;
}

function isWhole(token: string): boolean {
  return /^-?[0-9]+$/.test(token);
}

function isSafe(token: string): boolean {
  return Number.isSafeInteger(Number(token));
}

/** A key that an object in a JSON text has twice, which `JSON.parse` does not tell; undefined of what is no JSON. */
export function repeatedKey(text: string): string | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  let repeated: string | undefined;
  // Every JSON text is a YAML one, whose reader keeps both; to compare all keys by itself takes it the square of them.
  visit(parseDocument(text, { uniqueKeys: false }), {
    Map: (_, { items }) => {
      const seen = new Set<string>();
      repeated ??= items.map(({ key }) => String(key)).find((key) => seen.size === seen.add(key).size);
    },
  });
  return repeated;
}
