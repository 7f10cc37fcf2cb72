/**
 * Property values as the engine and its providers exchange them: JSON, in which a secret and a value that is not
 * known yet stand in special forms.
 */

/** A JSON value. */
export type Value = null | boolean | number | string | readonly Value[] | Values;

/** The properties of a resource. */
export interface Values {
  readonly [name: string]: Value | undefined;
}

const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
/** Stands for a value that a preview does not know. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether the value is a map of properties. */
export function isValues(value: Value | undefined): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value as a map of properties; an empty one if it is none. */
export function asValues(value: Value | undefined): Values {
  return isValues(value) ? value : {};
}

/** The value as text; the empty text if it is none. */
export function asText(value: Value | undefined): string {
  return typeof value === "string" ? value : "";
}

/** The value as a secret; one that is a secret already stays as it is. */
export function secret(value: Value): Value {
  if (isValues(value) && value[signatureKey] === secretSignature) return value;
  return { [signatureKey]: secretSignature, value };
}

/** The value with the secrets in it laid open. */
export function plain(value: Value): Value {
  if (Array.isArray(value)) return (value as readonly Value[]).map(plain);
  if (!isValues(value)) return value;
  if (value[signatureKey] === secretSignature) return plain(value["value"] ?? null);
  return plainValues(value);
}

/** The properties with the secrets in them laid open. */
export function plainValues(values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, plain(value)]])),
  );
}

/** Text that is the same for equal values, in whatever order their keys stand. */
export function canonical(value: Value | undefined): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** The names of the properties that differ, secrets or not. */
export function changedKeys(before: Values, after: Values): string[] {
  const [old, now] = [plainValues(before), plainValues(after)];
  const names = new Set([...Object.keys(old), ...Object.keys(now)]);
  return [...names].filter((name) => canonical(old[name]) !== canonical(now[name])).sort();
}
