/** The reference of the configuration, read off its schema. */
import * as z from "zod";

import { environments } from "../config/fields";
import { configSchema } from "../config/schema";
import { keysOf, kindOf, metaOf } from "../config/walk";
import { either } from "../config/words";

/** A key of the configuration. */
export interface Key {
  /** From the top: `models[].training.image`; NAME stands for a name of the user's choice. */
  readonly path: string;
  /** The `kind` that it belongs to, where its group has several. */
  readonly kind?: string;
  readonly description: string;
  /** What may be written. */
  readonly value: string;
  /** What holds if nothing is written, for each environment; undefined where there is no default. */
  readonly defaults: readonly unknown[];
  readonly required: boolean;
  /** What stands for the default where it is no value. */
  readonly fallback?: string | undefined;
  /** A group or list, whose own keys follow. */
  readonly group: boolean;
}

/** All keys, in the schema's order; a group stands before its keys. */
export function keys(): Key[] {
  const [first = [], ...others] = environments.map((environment) => below(configSchema(environment), "", {}));
  return first.map((key, index) => ({
    ...key,
    defaults: [key.defaults, ...others.map((list) => list[index]?.defaults ?? [])].flat(),
  }));
}

interface Around {
  readonly kind?: string;
  /** The groups that a key stands in. */
  readonly inside?: ReadonlySet<z.ZodType>;
}

function below(schema: z.ZodType, path: string, around: Around): Key[] {
  if (schema instanceof z.ZodObject) {
    // A group that may stand in itself is told of once.
    if (around.inside?.has(schema) === true) return [];
    const inside = new Set([...(around.inside ?? []), schema]);
    const shape = schema.shape as Record<string, z.ZodType>;
    return Object.entries(shape).flatMap(([key, next]) =>
      read(next, path === "" ? key : `${path}.${key}`, { ...around, inside }),
    );
  }
  if (schema instanceof z.ZodArray) return below(schema.element as z.ZodType, `${path}[]`, around);
  if (schema instanceof z.ZodRecord) return below(schema.valueType as z.ZodType, `${path}.NAME`, around);
  if (schema instanceof z.ZodUnion)
    return (schema.options as z.ZodType[]).flatMap((one) => {
      const kind = kindOf(one);
      return below(one, path, kind === undefined ? around : { ...around, kind });
    });
  return [];
}

/** A key and those below it. */
function read(schema: z.ZodType, path: string, around: Around): Key[] {
  const { kind } = around;
  const { inner, fallback, optional, complete } = peel(schema);
  const inside = below(inner, path, around);
  const { description = "", fallback: otherwise } = { ...metaOf(inner), ...metaOf(schema) };
  const itself: Key = {
    path,
    ...(kind === undefined ? {} : { kind }),
    description,
    value: valueOf(inner),
    defaults: [fallback],
    required: optional !== true,
    fallback: otherwise ?? (complete ? "as below" : undefined),
    group: inside.length > 0,
  };
  return [itself, ...inside];
}

interface Peeled {
  readonly inner: z.ZodType;
  readonly fallback?: unknown;
  readonly optional?: boolean;
  /** A group that is there if nothing is written, with the defaults of its keys. */
  readonly complete?: boolean;
}

/** What a schema is below defaults and transformations, and what these say. */
function peel(schema: z.ZodType): Peeled {
  if (schema instanceof z.ZodOptional) return { ...peel(schema.unwrap() as z.ZodType), optional: true };
  if (schema instanceof z.ZodPrefault)
    return { ...peel(schema.unwrap() as z.ZodType), optional: true, complete: true };
  if (schema instanceof z.ZodDefault)
    return { ...peel(schema.unwrap() as z.ZodType), optional: true, fallback: schema.def.defaultValue };
  if (schema instanceof z.ZodPipe) return peel(schema.in as z.ZodType);
  return { inner: schema };
}

function valueOf(schema: z.ZodType): string {
  const { expected, secret, type } = metaOf(schema);
  if (secret === true) return "text, set as a secret";
  if (type !== undefined) return type;
  if (expected !== undefined) return expected.replace(/^(an?|the) /, "").replaceAll(/"([^"]+)"/g, "`$1`");
  if (schema instanceof z.ZodUnion)
    return [...new Set((schema.options as z.ZodType[]).map(valueOf))].join(", or ");
  if (schema instanceof z.ZodEnum) return either(schema.options.map(code));
  if (schema instanceof z.ZodLiteral) return code(schema.value);
  if (schema instanceof z.ZodBoolean) return either(["true", "false"].map(code));
  if (schema instanceof z.ZodNumber) return numberOf(schema);
  if (schema instanceof z.ZodRecord)
    return `${namesOf(schema)}, each with ${valueOf(schema.valueType as z.ZodType)}`;
  if (schema instanceof z.ZodArray) return "list";
  if (schema instanceof z.ZodObject) return "group";
  return schema instanceof z.ZodUnknown ? "anything" : "text";
}

function namesOf(schema: z.ZodRecord): string {
  const names = keysOf(schema);
  return names.length > 0 ? names.map(code).join(", ") : "names";
}

function numberOf({ minValue, maxValue, format }: z.ZodNumber): string {
  if (format === null) return "number";
  return maxValue === null || maxValue === Number.MAX_SAFE_INTEGER
    ? `whole number from ${String(minValue)} on`
    : `whole number, ${String(minValue)} to ${maxValue}`;
}

/** A value as code in Markdown. */
export function code(value: unknown): string {
  return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}
