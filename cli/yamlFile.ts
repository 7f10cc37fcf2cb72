/** Pulumi's settings files. Its YAML library and ours read some plain values differently: those are told. */
import { readFileSync } from "node:fs";

import { isAlias, isMap, isScalar, isSeq, parseDocument, type Document, type Scalar } from "yaml";

import { UserError, messageOf } from "./errors";
import { shown } from "./paths";

/** A value that Pulumi would not read as this program does. */
export interface Misread {
  /** Keys and indices from the top of the file. */
  readonly path: readonly (string | number)[];
  /** What is wrong and how to mend it, to be read behind the place. */
  readonly message: string;
}

/** The content of a settings file. */
export interface YamlFile {
  readonly content: Readonly<Record<string, unknown>>;
  readonly misread: readonly Misread[];
}

/**
 * Reads a settings file; merge keys (`<<: *name`) are merged, as Pulumi does.
 *
 * @throws UserError it cannot be read, is not YAML, or is no group of keys.
 */
export function readYamlFile(file: string): YamlFile {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(
      code === "ENOENT"
        ? `${shown(file)} does not exist.`
        : `${shown(file)} cannot be read: ${messageOf(error)}`,
    );
  }
  const document = parseDocument(text, { merge: true });
  const [error] = document.errors;
  if (error !== undefined) throw new UserError(`${shown(file)} is not YAML: ${error.message}`);
  const misread: Misread[] = [];
  walk(document, document.contents, [], [], (place, path) => misread.push({ path, message: place }), file);
  const content = (document.toJS() ?? {}) as unknown;
  if (typeof content !== "object" || content === null || Array.isArray(content))
    throw new UserError(`${shown(file)} must be a group of keys, such as config:.`);
  return { content: content as Record<string, unknown>, misread };
}

type Tell = (message: string, path: readonly (string | number)[]) => void;

/** Visits every value where it is used: what an alias stands for counts at each place. */
function walk(
  document: Document,
  node: unknown,
  path: readonly (string | number)[],
  within: readonly unknown[],
  tell: Tell,
  file: string,
): void {
  if (within.includes(node))
    throw new UserError(`${shown(file)} is not YAML: an anchor refers to itself: ${path.join(".")}.`);
  const below = (child: unknown, part?: string | number) => {
    walk(document, child, part === undefined ? path : [...path, part], [...within, node], tell, file);
  };
  if (isAlias(node)) below(node.resolve(document));
  else if (isMap(node)) {
    for (const { key, value } of node.items) {
      const name = String(isScalar(key) ? (key.source ?? key.value) : key);
      below(value, name === "<<" ? undefined : name);
    }
  } else if (isSeq(node))
    node.items.forEach((item, index) => {
      below(item, index);
    });
  else if (isScalar(node) && node.type === "PLAIN") {
    const message = misreading(node);
    if (message !== undefined) tell(message, path);
  }
}

/**
 * How Pulumi reads a plain value otherwise than we do: as gopkg.in/yaml.v3 does in `resolve.go`, with the dates,
 * underscores, binary and octal numbers of YAML 1.1 (pulumi/pulumi#11518).
 */
function misreading({ source = "", value }: Scalar): string | undefined {
  const quotes = "put it in quotes";
  if (typeof value === "number") {
    if (!Number.isFinite(value))
      return `is ${source}, which no number of JSON can be: ${quotes}, or leave it out`;
    if (Number.isInteger(value) && !Number.isSafeInteger(value))
      return `is ${source}, and beyond 9007199254740991 numbers are rounded: ${quotes}`;
    if (/^[-+]?0\d/.test(source)) return `is ${source}, which Pulumi takes for an octal number: ${quotes}`;
    return undefined;
  }
  if (typeof value !== "string") return undefined;
  if (/^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ].*)?$/.test(value))
    return `is ${source}, which Pulumi takes for a date: ${quotes}`;
  if (/^[-+.\d]/.test(value) && goNumber.test(value.replaceAll("_", "")))
    return `is ${source}, which Pulumi takes for the number ${value.replaceAll("_", "")}: ${quotes}`;
  return undefined;
}

const goNumber =
  /^[-+]?(?:0[bB][01]+|0[oO]?[0-7]+|0[xX][\da-fA-F]+|(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?)$/;
