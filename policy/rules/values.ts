/** Reading values whose types nobody has checked. */

/**
 * What stands for a value that is not known before the deployment: Pulumi's own marks by type, as the engine sends
 * them, and those of a preview that was made without an engine. No rule judges such a value.
 */
const unknownMarks = new Set([
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
  "[unknown until deployed]",
  "[secret, unknown until deployed]",
]);

export function isUnknown(value: unknown): boolean {
  return typeof value === "string" && unknownMarks.has(value);
}

/** A value, and where in its resource it stands. */
export interface Located {
  readonly path: string;
  readonly value: unknown;
}

/** A path with one more key; a key that has dots or brackets itself stands in brackets, quoted. */
export function join(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  if (/[.[\]"]/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === "" ? key : `${path}.${key}`;
}

/** The value as an object; an empty one if it is something else, or not known. */
export function object(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

/** The value as a list; an empty one if it is something else, or not known. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value as text; undefined if it is something else, not known or empty. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && !isUnknown(value) ? value : undefined;
}

/** What stands at a path of keys inside a value; undefined if there is nothing. A mark of an unknown stays. */
export function at(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce((inner, key) => (isUnknown(inner) ? inner : object(inner)[key]), value);
}

/** Whether the path is present or cannot be known yet. */
export function has(value: unknown, ...keys: readonly string[]): boolean {
  const found = at(value, ...keys);
  return found !== undefined && found !== null && found !== "";
}

/** Whether a value switches something on. */
export function isOn(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== "";
}

/** Whether the path has this value, or one that cannot be known yet. */
export function is(expected: unknown, value: unknown, ...keys: readonly string[]): boolean {
  const found = at(value, ...keys);
  return found === expected || isUnknown(found);
}

/** The value and all that is in it, outermost first. */
export function walk(value: unknown, path = ""): readonly Located[] {
  const found: Located[] = [];
  const visit = (inner: unknown, at: string) => {
    found.push({ path: at, value: inner });
    if (Array.isArray(inner)) for (const [index, item] of inner.entries()) visit(item, join(at, index));
    else for (const [key, item] of Object.entries(object(inner))) visit(item, join(at, key));
  };
  visit(value, path);
  return found;
}

/** Every text in the value that is known and not empty, with its path. */
export function texts(value: unknown, path = ""): readonly { path: string; text: string }[] {
  return walk(value, path).flatMap(({ path, value }) => {
    const known = text(value);
    return known === undefined ? [] : [{ path, text: known }];
  });
}

/** The last key of a path; the index for an item of a list. */
export function lastKey(path: string): string {
  return /\["([^"]*)"\]$/.exec(path)?.[1] ?? /[^.[\]]+(?=\]?$)/.exec(path)?.[0] ?? path;
}
