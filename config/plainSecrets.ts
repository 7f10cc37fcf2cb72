/** Secrets where a configuration has none to hold: it is in the repository, and what is made of it in the state. */
import { parsedJson } from "./json";
import type { Mistake } from "./mistakes";
import { placeOf, secretCommand } from "./mistakes";
import type { Schema } from "./schema";
import { hasCaller, hasSignature, isIssued, isSecretByName, undecrypted } from "./secretWords";
import { type Path, metaOf, schemasAt, secretKeys, secretPlaces, unwrap } from "./walk";
import { listed } from "./words";

type Written = Readonly<Record<string, unknown>>;

/** Whether a place is encrypted: what reads the stack's file knows each place, the engine the key alone. */
type IsSecret = (place: string) => boolean;

/** Secrets that stand where they should, but in plain text. */
export function plainSecrets(schema: Schema, written: Written, isSecret: IsSecret): Mistake[] {
  return secretPlaces(schema, written)
    .filter((path) => isPlain(path, isSecret))
    .map((path) => ({
      path,
      message: misspeltSecure(written, path) ?? `is a secret in plain text: ${secretCommand(path)}`,
    }));
}

/** What was encrypted, and is not taken for that: `{secure: …}` has the one key, in lower case. */
function misspeltSecure(written: Written, path: Path): string | undefined {
  const value = path.reduce<unknown>((group, key) => (group as Record<PropertyKey, unknown>)[key], written);
  const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
  return keys.some((key) => key.toLowerCase() === "secure")
    ? `has ${listed(keys)}, and what is encrypted has one key alone; did you mean secure?`
    : undefined;
}

/** Those where none has its place: in addresses, and below names that nobody declares. */
export function strayedSecrets(schema: Schema, written: Written, isSecret: IsSecret): Mistake[] {
  const own = new Set(secretPlaces(schema, written).map(placeOf));
  return textsOf(written).flatMap(({ path, text }) => {
    if (text === undecrypted || own.has(placeOf(path)) || !isPlain(path, isSecret)) return [];
    const what = betrayal(schema, path, text);
    return what === undefined
      ? []
      : [{ path, message: `${what}, which everybody could read: ${instead(path)}` }];
  });
}

function isPlain(path: Path, isSecret: IsSecret): boolean {
  return !path.some((_, index) => isSecret(placeOf(path.slice(0, index + 1))));
}

/** Of another program's keys, too. @param all keys in full, with their values. */
export function foreignSecrets(all: Readonly<Record<string, string>>, isSecret: IsSecret): Mistake[] {
  const values = Object.fromEntries(Object.entries(all).map(([key, text]) => [key, parsedJson(text)]));
  return plainTexts(values)
    .filter((path) => isPlain(path, isSecret))
    .map((path) => ({
      path,
      message:
        "is a secret in plain text: leave it out, as nobody reads it here, or encrypt it: pulumi config set --secret " +
        (path.length === 1 ? placeOf(path) : `--path '${placeOf(path)}'`),
    }));
}

/** The places of texts in a value that give something away by themselves, or by their key. */
export function plainTexts(value: unknown): Path[] {
  return textsOf(value)
    .filter(
      ({ path, text }) =>
        text !== undecrypted &&
        (hasCaller(text) || hasSignature(text) || isIssued(text) || isSecretByName(nameOf(path), text)),
    )
    .map(({ path }) => path);
}

/** The key of a text, or of the list that it is in. */
function nameOf(path: Path): string {
  return String(path.findLast((key) => typeof key === "string"));
}

/** What is encrypted and is no secret: nobody who has no passphrase could see what comes of it. */
export function needlesslyEncrypted(schema: Schema, written: Written, isSecret: IsSecret): Mistake[] {
  const own = secretKeys(schema);
  return textsOf(written)
    .filter(({ path, text }) => text === undecrypted && isSecret(placeOf(path)))
    .filter(({ path }) => takesPlain(schema, path))
    .map(({ path }) => {
      const inside = own.filter((one) => path.every((key, index) => one[index] === key));
      const commands = inside.map((one) => secretCommand(one)).join(", ");
      return {
        path,
        message:
          "is encrypted, and only passwords and keys may be: without the passphrase nobody could see what comes of it. " +
          `Write it as it is${commands === "" ? "" : `, and encrypt what is secret in it: ${commands}`}`,
      };
    });
}

/** Whether a place is known, and for what is no secret. */
function takesPlain(schema: Schema, path: Path): boolean {
  const found = schemasAt(schema, path).flatMap(unwrap);
  if (found.length > 0) return !found.some((one) => metaOf(one).secret === true);
  // Below what may be anything nothing is unknown.
  return path.some((_, index) =>
    schemasAt(schema, path.slice(0, index))
      .flatMap(unwrap)
      .some(({ type }) => type === "unknown"),
  );
}

/** What a text gives away. */
function betrayal(schema: Schema, path: Path, text: string): string | undefined {
  if (hasSignature(text)) return "has a key or a signature in its query";
  if (hasCaller(text)) return "has a user or a password in it";
  if (isIssued(text)) return "is a key to a service";
  // What the schema names is what it says there; the charts' values have a policy.
  const isFree = schemasAt(schema, path.slice(0, -1))
    .flatMap(unwrap)
    .some((one) => one.type === "record");
  return isFree && !path.includes("values") && isSecretByName(nameOf(path), text)
    ? "looks like a secret in plain text"
    : undefined;
}

function instead(path: Path): string {
  const [section, ...below] = path;
  if (section === "images")
    return "it would stay in the image, too. Take an address that asks for none, or images that are built elsewhere (images.prebuilt)";
  if (section === "models" && !below.includes("training"))
    return "put it into a Secret, and name that under environment";
  return path.at(-1) === "data" ? "put the file into the store, and name it s3://…" : "leave it out";
}

function textsOf(value: unknown, path: Path = []): { readonly path: Path; readonly text: string }[] {
  if (typeof value === "string") return [{ path, text: value }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    textsOf(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}
