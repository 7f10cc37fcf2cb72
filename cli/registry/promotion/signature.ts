import type { Decision } from "../../../config/lock";
import { isSame } from "../difference";

/** What becomes of the columns that a model takes, and of what it answers. */
export interface SignatureChange {
  /** `unknown` where one of two versions was logged without. */
  readonly state: "changed" | "unchanged" | "unknown";
  /** Each column that differs, in words. */
  readonly columns: readonly string[];
  /** All of it in a sentence. */
  readonly text: string;
}

type Signature = Decision["signature"];

/** Compares what two versions take and answer. */
export function signatureChange(before: Signature, after: Signature): SignatureChange {
  if (before === undefined || after === undefined) {
    const state = "unknown";
    return {
      state,
      columns: [],
      text: "Signature: not compared, as not both versions were logged with one.",
    };
  }
  const columns = [
    ...changes("column", columnsOf(before.inputs), columnsOf(after.inputs)),
    ...changes("output", columnsOf(before.outputs), columnsOf(after.outputs)),
  ];
  const lists = [before, after].every(({ inputs, outputs = "[]" }) =>
    [inputs, outputs].every((text) => Array.isArray(parsed(text))),
  );
  if (columns.length === 0 && (lists || sameText(before, after)))
    return { state: "unchanged", columns, text: "Signature: unchanged." };
  const told = columns.length === 0 ? ["it says something else"] : columns;
  return { state: "changed", columns: told, text: `Signature: changed: ${told.join("; ")}.` };
}

/** The same content, however it is written. */
function sameText(before: NonNullable<Signature>, after: NonNullable<Signature>): boolean {
  const read = ({ inputs, outputs }: NonNullable<Signature>) => [inputs, outputs].map(parsed);
  return isSame(read(before), read(after));
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Type of each column, by its name or its place: https://mlflow.org/docs/latest/ml/model/signatures/ */
function columnsOf(text: string | undefined): ReadonlyMap<string, string> {
  const columns = parsed(text);
  if (!Array.isArray(columns)) return new Map();
  return new Map(
    (columns as unknown[]).map((column, index) => {
      const { name, type, required = true, ...rest } = (column ?? {}) as Record<string, unknown>;
      const optional = required === false ? ", may be missing" : "";
      const details = Object.keys(rest).length === 0 ? "" : ` ${JSON.stringify(rest)}`;
      return [typeof name === "string" ? name : `number ${index}`, `${String(type)}${details}${optional}`];
    }),
  );
}

function changes(
  what: string,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  const found = [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [was, is] = [before.get(name), after.get(name)];
    if (was === is) return [];
    if (was === undefined) return [`${what} ${name} (${is ?? ""}) is new`];
    return [is === undefined ? `${what} ${name} (${was}) is gone` : `${what} ${name}: ${was} → ${is}`];
  });
  const moved = found.length === 0 && [...before.keys()].join() !== [...after.keys()].join();
  return moved ? [`${what}s stand in another order`] : found;
}
