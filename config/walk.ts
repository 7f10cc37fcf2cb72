/** Ways through the schema: what may stand at a place. */
import * as z from "zod";

export type Path = readonly PropertyKey[];

/** What the schema says about itself, beside descriptions. */
interface Meta {
  readonly description?: string | undefined;
  /** What a value must be, for messages: "a size, such as …". */
  readonly expected?: string | undefined;
  /** The same for the documentation, where that is shorter. */
  readonly type?: string | undefined;
  /** What stands for the default in the documentation, where that is no value. */
  readonly fallback?: string | undefined;
  /** How to set a value that is missing. */
  readonly missing?: string | undefined;
  /** The value must be a secret. */
  readonly secret?: boolean | undefined;
  /** Why keys that people look for are not there, by words in lower case without plural. */
  readonly absent?: ReadonlyMap<string, string> | undefined;
  /** The value is not repeated in messages, since it may be a secret. */
  readonly hidden?: boolean | undefined;
}

/** What a schema says about itself. */
export function metaOf(schema: z.ZodType): Meta {
  return schema.meta() ?? {};
}

/** What a schema is below its defaults; of a union, all its branches. */
export function unwrap(schema: z.ZodType): z.ZodType[] {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    return unwrap(schema.unwrap() as z.ZodType);
  if (schema instanceof z.ZodPipe) return unwrap(schema.in as z.ZodType);
  if (schema instanceof z.ZodUnion) return (schema.options as z.ZodType[]).flatMap(unwrap);
  return [schema];
}

/** What may stand below a key. */
function step(schema: z.ZodType, key: PropertyKey): z.ZodType[] {
  if (schema instanceof z.ZodObject) {
    const shape = new Map<PropertyKey, z.ZodType>(Object.entries(schema.shape));
    return [shape.get(key) ?? []].flat();
  }
  if (schema instanceof z.ZodArray) return [schema.element as z.ZodType];
  if (schema instanceof z.ZodRecord) return [schema.valueType as z.ZodType];
  return [];
}

/** What may stand at a path, with its defaults around it; several if a union is passed on the way. */
export function schemasAt(schema: z.ZodType, path: Path): z.ZodType[] {
  let found = [schema];
  for (const key of path) found = found.flatMap(unwrap).flatMap((one) => step(one, key));
  return found;
}

/** The keys that may stand in a group. */
export function keysOf(schema: z.ZodType): string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape);
  if (schema instanceof z.ZodRecord && schema.keyType instanceof z.ZodEnum)
    return schema.keyType.options.map(String);
  return [];
}

/** The `kind` for which a group stands; undefined if there is only one. */
export function kindOf(schema: z.ZodType): string | undefined {
  const [kind] = schemasAt(schema, ["kind"]).flatMap(unwrap);
  return kind instanceof z.ZodLiteral ? String(kind.value) : undefined;
}

/** The places that a secret may stand in, of a schema whose secrets are in no list. */
export function secretKeys(schema: z.ZodType, path: Path = []): Path[] {
  return unwrap(schema).flatMap((one) =>
    metaOf(one).secret === true
      ? [path]
      : keysOf(one).flatMap((key) => step(one, key).flatMap((next) => secretKeys(next, [...path, key]))),
  );
}

/** The places of all values that must be secrets. */
export function secretPlaces(schema: z.ZodType, value: unknown, path: Path = []): Path[] {
  if (value === undefined || value === null) return [];
  return unwrap(schema).flatMap((one) => {
    if (metaOf(one).secret === true) return [path];
    if (typeof value !== "object") return [];
    return Object.entries(value).flatMap(([key, item]) =>
      step(one, key).flatMap((next) =>
        secretPlaces(next, item, [...path, one instanceof z.ZodArray ? Number(key) : key]),
      ),
    );
  });
}
