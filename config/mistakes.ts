import * as pulumi from "@pulumi/pulumi";
import * as z from "zod";

import { keysOf, kindOf, metaOf, type Path, schemasAt, unwrap } from "./walk";
import { either, nearest, shown } from "./words";

/** What is wrong at one place of the configuration. */
export interface Mistake {
  /** Keys and indices from the top: `["models", 0, "name"]`. */
  readonly path: Path;
  /** What is wrong and how to mend it, to be read behind the place. */
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** The namespace of the configuration that the program reads. */
export const namespace = "mlplatform";

/**
 * A place as it is written in messages, and for `pulumi config set --path`: `mlplatform:models[0].name`.
 *
 * @param path the first key may have a namespace of its own.
 */
export function placeOf([key = "", ...path]: Path): string {
  const parts = path.map((part) => {
    if (typeof part === "number") return `[${part}]`;
    return /^[\w-]+$/.test(String(part)) ? `.${String(part)}` : `[${JSON.stringify(part)}]`;
  });
  const top = String(key);
  return `${top.includes(":") ? top : `${namespace}:${top}`}${parts.join("")}`;
}

/** The command that sets a secret of the stack that is read. */
export function secretCommand(path: Path): string {
  const stack = pulumi.getStack();
  const named = stack === "dev" ? "" : ` --stack ${stack}`;
  return `npm run secret -- ${placeOf(path).slice(namespace.length + 1)}${named}`;
}

/** Keys that zod leaves out without a word. */
export function unheard(value: unknown, path: Path = []): Mistake[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const place = [...path, Array.isArray(value) ? Number(key) : key];
    return key === "__proto__" ? [{ path: place, message: "is not known" }] : unheard(item, place);
  });
}

/** Turns what zod found into sentences, one for each thing that the user has to change. */
export function mistakesOf(schema: z.ZodType, issues: readonly Issue[]): Mistake[] {
  const found = issues.flatMap((issue) => describe(schema, issue));
  // A key that is misspelt is missing too: one mistake, and one sentence for it.
  const meant = new Set(found.map(({ means }) => means && placeOf(means)));
  return found
    .filter(({ path, missing }) => missing !== true || !meant.has(placeOf(path)))
    .map(({ path, message }) => ({ path, message }));
}

interface Found extends Mistake {
  /** The place that an unknown key was meant for. */
  readonly means?: Path;
  readonly missing?: boolean;
}

function describe(schema: z.ZodType, issue: Issue): Found[] {
  const { path, input } = issue;
  const at = (message: string): Found[] => [{ path, message }];
  if (input === null || (input === "" && ["invalid_type", "invalid_value"].includes(issue.code)))
    return at(`has no value: give it one${mayBeLeftOut(schema, path) ? ", or leave the key out" : ""}`);
  if (path.length === 1 && typeof input === "string" && /^[{[]/.test(input))
    return at("begins like JSON and is not valid: write it as YAML below the key");
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(schema, issue, key));
    case "invalid_type":
      if (input === undefined) return [{ path, message: missing(schema, path), missing: true }];
      return at(wrongType(schema, issue));
    case "invalid_value":
      if (input === undefined) return [{ path, message: missing(schema, path), missing: true }];
      return at(notOneOf(input, issue.values.map(String)));
    case "too_small":
      return at(
        typeof issue.input === "number" ? `is ${shown(input)}; the least is ${issue.minimum}` : issue.message,
      );
    case "too_big":
      return at(
        typeof issue.input === "number" ? `is ${shown(input)}; the most is ${issue.maximum}` : issue.message,
      );
    case "invalid_key":
      return at(issue.issues[0]?.message ?? issue.message);
    case "invalid_union":
      return describeUnion(schema, issue);
    default:
      return at(issue.message);
  }
}

function unknownKey(schema: z.ZodType, { path, input }: Issue, key: string): Found {
  const place = [...path, key];
  const groups = schemasAt(schema, path)
    .flatMap(unwrap)
    .filter((one) => keysOf(one).length > 0);
  const kind = (input as { kind?: unknown } | undefined)?.kind;
  const other = groups.find((one) => kindOf(one) !== undefined && keysOf(one).includes(key));
  if (other !== undefined)
    return {
      path: place,
      message: `needs kind: ${kindOf(other) ?? ""}, and kind is ${kind === undefined ? "left out" : shown(kind)}`,
    };
  const fitting = groups.filter((one) => kind === undefined || [undefined, kind].includes(kindOf(one)));
  const word = key.toLowerCase().replaceAll(/[^a-z]|s$/g, "");
  const absent = fitting.map((one) => metaOf(one).absent?.get(word)).find((why) => why !== undefined);
  if (absent !== undefined) return { path: place, message: absent };
  const known = [...new Set(fitting.flatMap(keysOf))];
  const suggested = nearest(key, known);
  if (suggested === undefined) return { path: place, message: `is not known; known are ${known.join(", ")}` };
  return {
    path: place,
    message: `is not known; did you mean ${suggested}?`,
    means: [...path, suggested],
  };
}

function mayBeLeftOut(schema: z.ZodType, path: Path): boolean {
  return schemasAt(schema, path).some((one) => one.safeParse(undefined).success);
}

function missing(schema: z.ZodType, path: Path): string {
  const metas = schemasAt(schema, path).flatMap((one) => [one, ...unwrap(one)].map(metaOf));
  if (metas.some(({ secret }) => secret)) return `is missing: ${secretCommand(path)}`;
  const hint = metas.map((meta) => meta.missing ?? meta.description).find((text) => text !== undefined);
  return hint === undefined ? "is missing" : `is missing: ${hint}`;
}

function wrongType(schema: z.ZodType, { path, input, ...issue }: z.core.$ZodIssueInvalidType): string {
  const [found] = schemasAt(schema, path).flatMap(unwrap);
  const { expected, secret, hidden } = found === undefined ? {} : metaOf(found);
  const must = `must be ${expected ?? typeNames[issue.expected] ?? issue.expected}`;
  if (secret === true || hidden === true) return must;
  return `${must}, and is ${shown(input)}${hint(found, input)}`;
}

const typeNames: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  int: "a whole number",
  number: "a number",
  object: "a group of keys",
  record: "a group of keys",
  string: "text",
};

/** How a value of the wrong type is mended, where that is clear. */
function hint(schema: z.ZodType | undefined, input: unknown): string {
  const fits = (value: unknown) => schema?.safeParse(value).success === true;
  if (schema instanceof z.ZodArray && !Array.isArray(input) && typeof input === "object")
    return ": begin each entry with a dash";
  if (
    Array.isArray(input) &&
    input.length > 0 &&
    (schema instanceof z.ZodObject || schema instanceof z.ZodRecord)
  )
    return ": leave the dashes out";
  if ((typeof input === "number" || typeof input === "boolean") && fits(String(input)))
    return ": put it in quotes";
  if (typeof input === "string" && (fits(Number(input)) || fits({ true: true, false: false }[input])))
    return ": leave the quotes out";
  return "";
}

/** A union says which branch was meant: the one whose kind of value was given. */
function describeUnion(schema: z.ZodType, issue: z.core.$ZodIssueInvalidUnion): Found[] {
  const { path, input } = issue;
  const { discriminator, options } = issue as { discriminator?: string; options?: readonly unknown[] };
  if (discriminator !== undefined && options !== undefined) {
    const given = (input as Record<string, unknown>)[discriminator];
    const values = options.filter((option) => typeof option === "string");
    return describe(schema, { code: "invalid_value", values, path, input: given, message: "" });
  }
  const meant = issue.errors.find(
    (branch) => !branch.some(({ code, path: below }) => code === "invalid_type" && below.length === 0),
  );
  if (meant === undefined) return [{ path, message: issue.message }];
  return meant.flatMap((inner) => describe(schema, { ...inner, path: [...path, ...inner.path] }));
}

function notOneOf(input: unknown, values: readonly string[]): string {
  // Of numbers, none is meant rather than another.
  const suggested = typeof input === "string" && !/^\d/.test(input) ? nearest(input, values) : undefined;
  const meant = suggested === undefined ? "" : `; did you mean ${suggested}?`;
  return `is ${shown(input)}, not ${either(values)}${meant}`;
}
