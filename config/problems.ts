import { closest, distance } from "fastest-levenshtein";
import * as z from "zod";

/** What is wrong at one place of the configuration. */
export interface Problem {
  /** Keys and indices from the top: `["models", 0, "name"]`. */
  readonly path: readonly PropertyKey[];
  /** What is wrong and how to mend it, to be read behind the place. */
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** Turns what zod found into sentences, one for each thing that the user has to change. */
export function problemsOf(schema: z.ZodType, issues: readonly Issue[]): Problem[] {
  return issues.flatMap((issue) => describe(schema, issue));
}

function describe(schema: z.ZodType, issue: Issue): Problem[] {
  const at = (message: string): Problem[] => [{ path: issue.path, message }];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        path: [...issue.path, key],
        message: `is not known${suggestion(key, knownKeys(schema, issue.path))}`,
      }));
    case "invalid_type":
      return at(
        issue.input === undefined ? "is missing" : `must be ${typeName(issue.expected)}${given(issue)}`,
      );
    case "invalid_value":
      return at(oneOf(issue.input, issue.values.map(String)));
    case "too_small":
      return at(
        issue.origin === "number" ? `is ${shown(issue.input)}, at least ${issue.minimum}` : issue.message,
      );
    case "too_big":
      return at(
        issue.origin === "number" ? `is ${shown(issue.input)}, at most ${issue.maximum}` : issue.message,
      );
    case "invalid_key":
      return at(issue.issues[0]?.message ?? issue.message);
    case "invalid_union":
      return describeUnion(schema, issue);
    default:
      return at(issue.message);
  }
}

/** A union says which branch was meant: the one whose kind of value was given. */
function describeUnion(schema: z.ZodType, issue: z.core.$ZodIssueInvalidUnion): Problem[] {
  const options = (issue as { options?: readonly unknown[] }).options?.filter(
    (option) => option !== undefined,
  );
  if (options !== undefined) return [{ path: issue.path, message: oneOf(issue.input, options.map(String)) }];
  const meant = issue.errors.find(
    (branch) => !branch.some(({ code, path }) => code === "invalid_type" && path.length === 0),
  );
  if (meant === undefined || meant.some(({ code }) => code === "invalid_value"))
    return [{ path: issue.path, message: issue.message }];
  return problemsOf(
    schema,
    meant.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })),
  );
}

function oneOf(input: unknown, values: readonly string[]): string {
  if (input === undefined) return `is missing: one of ${values.join(", ")}`;
  return `is ${shown(input)}, not one of ${values.join(", ")}${suggestion(String(input), values)}`;
}

/** ` (did you mean …?)` if a known word is near enough to be meant. */
export function suggestion(word: string, known: readonly string[]): string {
  if (known.length === 0) return "";
  const nearest = closest(word, [...known]);
  const near = distance(word.toLowerCase(), nearest.toLowerCase()) <= Math.max(2, word.length / 3);
  return near ? `; did you mean ${nearest}?` : `; known are ${known.join(", ")}`;
}

function given({ input }: Issue): string {
  const hint = typeof input === "number" ? ": put it in quotes" : "";
  return `, and is ${shown(input)}${hint}`;
}

function typeName(expected: string): string {
  const names: Record<string, string> = {
    array: "a list",
    boolean: "true or false",
    int: "a whole number",
    number: "a number",
    object: "a group of keys",
    record: "a group of keys",
    string: "text",
  };
  return names[expected] ?? expected;
}

/** A value as the user wrote it, cut where it is long. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** The keys that may stand at a path. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let found = [unwrap(schema)].flat();
  for (const key of path) found = found.flatMap((one) => step(one, key));
  return [...new Set(found.flatMap((one) => (one instanceof z.ZodObject ? Object.keys(one.shape) : [])))];
}

function step(schema: z.ZodType, key: PropertyKey): z.ZodType[] {
  if (schema instanceof z.ZodObject) {
    const shape = schema.shape as Record<PropertyKey, z.ZodType | undefined>;
    const next = shape[key];
    return next === undefined ? [] : unwrap(next);
  }
  if (schema instanceof z.ZodArray) return unwrap(schema.element as z.ZodType);
  if (schema instanceof z.ZodRecord) return unwrap(schema.valueType as z.ZodType);
  return [];
}

/** What a schema is below its defaults; of a union, all its branches. */
export function unwrap(schema: z.ZodType): z.ZodType[] {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    return unwrap(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodPipe) return unwrap(schema.in as z.ZodType);
  if (schema instanceof z.ZodUnion) return (schema.options as z.ZodType[]).flatMap(unwrap);
  return [schema];
}

/** The places of all values that must be secrets. */
export function secretPlaces(
  schema: z.ZodType,
  value: unknown,
  path: readonly PropertyKey[] = [],
): PropertyKey[][] {
  if (value === undefined || value === null) return [];
  return unwrap(schema).flatMap((one) => {
    if (one.meta()?.["secret"] === true) return [[...path]];
    if (one instanceof z.ZodArray && Array.isArray(value))
      return value.flatMap((item, index) => secretPlaces(one.element as z.ZodType, item, [...path, index]));
    if (!(one instanceof z.ZodObject) || typeof value !== "object") return [];
    return Object.entries(value).flatMap(([key, item]) =>
      step(one, key).flatMap((next) => secretPlaces(next, item, [...path, key])),
    );
  });
}
