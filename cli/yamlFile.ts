/** Pulumi's settings files. Its YAML library and ours read some plain values differently: those are told. */
import { isUtf8 } from "node:buffer";

import { Lexer, isAlias, isMap, isScalar, isSeq, parseDocument, type Document, type Scalar } from "yaml";

import { mostModels } from "../config/limits";
import { readBytes } from "../config/readText";
import { UserError, messageOf } from "./errors";
import { shown } from "./paths";
import { systemFailure } from "./systemFailure";

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
  /** Numbers that are handed on as another text, which matters where they are none: 1.10 as 1.1, 0x1F as 31. */
  readonly rewritten: readonly Misread[];
}

/**
 * Reads a settings file; merge keys (`<<: *name`) are merged, as Pulumi does.
 *
 * @throws UserError it cannot be read, is not YAML, or is no group of keys.
 */
export function readYamlFile(file: string): YamlFile {
  let bytes: Buffer;
  try {
    bytes = readBytes(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(
      code === "ENOENT"
        ? `${shown(file)} does not exist.`
        : `${systemFailure(error, shown(file)) ?? `${shown(file)} cannot be read: ${messageOf(error)}`}.`,
    );
  }
  // UTF-16 may be valid UTF-8, with a NUL before or behind each letter.
  if (!isUtf8(bytes) || bytes.includes(0))
    throw new UserError(`${shown(file)} is no text in UTF-8: save it in UTF-8.`);
  const text = bytes.toString("utf8");
  if (text.length > mostLetters)
    throw new UserError(
      `${shown(file)} has ${text.length} letters, and at most ${mostLetters} are read: a stack has at most ${mostModels} models.`,
    );
  const broken = (what: string) => new UserError(`${shown(file)} is not YAML as Pulumi reads it: ${what}`);
  const letter = strangeLetter(text) ?? strangeTab(text);
  if (letter !== undefined) throw broken(letter);
  const document = parseDocument(text, { merge: true, logLevel: "error" });
  const [error] = document.errors;
  if (error?.code === "MULTIPLE_DOCS")
    throw new UserError(`${shown(file)} holds several documents (---): a stack's file has one.`);
  if (error !== undefined) throw broken(error.message);
  if (document.directives.yaml.explicit === true) throw broken("leave the line %YAML out.");
  const misread: Misread[] = [];
  const rewritten: Misread[] = [];
  try {
    new Walk(document, misread, rewritten).visit(document.contents, [], []);
  } catch (problem) {
    throw problem instanceof Unreadable ? broken(problem.message) : problem;
  }
  const content = contentOf(document, broken);
  if (typeof content !== "object" || content === null || Array.isArray(content))
    throw new UserError(`${shown(file)} must be a group of keys, such as config:.`);
  return { content: content as Record<string, unknown>, misread, rewritten };
}

function contentOf(document: Document, broken: (what: string) => UserError): unknown {
  try {
    return document.toJS() ?? {};
  } catch (problem) {
    // Such as a merge key of what is no group, which only whoever resolves it sees.
    throw broken(`${messageOf(problem)}.`);
  }
}

/**
 * A letter that no text in YAML has, or that ends a line for Pulumi alone (CR, NEL, LS, PS), as text from web pages
 * does: behind it a comment goes on as a key.
 */
function strangeLetter(text: string): string | undefined {
  // A mark of the order of bytes stands at the beginning alone.
  const found = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]|\r(?!\n)|(?<!^)\ufeff/.exec(
    text,
  );
  if (found === null) return undefined;
  const code = found[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  return `line ${lineAt(text, found.index)} has the invisible letter U+${code}: take it out.`;
}

/**
 * A tab in the place of blanks where a line or an item begins, outside of `{}` and `[]`. Behind a plain text the next
 * lines may be parts of it, as far as they are further in: there it is white space.
 */
function strangeTab(text: string): string | undefined {
  if (!text.includes("\t")) return undefined;
  let [depth, at, indent, lead] = [0, 0, 0, 0];
  // Of what comes next: whether it is the first in its line, and in its line or item; and whether a plain text is before it.
  let [first, begins, plain, before] = [true, true, false, ""];
  for (const token of new Lexer().lex(text)) {
    const isMark = marks.includes(token);
    if (/^[ \t]+$/.test(token)) {
      const blanks = lead + token.indexOf("\t");
      if (begins && depth === 0 && token.includes("\t") && !(plain && blanks > indent))
        return `line ${lineAt(text, at)} has a tab where only blanks may be.`;
      if (first) lead += token.length;
    } else if (!isMark) {
      const ends = token.endsWith("\n");
      if (first && token.trim() !== "") indent = lead;
      if (token === "{" || token === "[") depth += 1;
      if (token === "}" || token === "]") depth -= 1;
      plain = before === startOfScalar ? !ends : plain && token.trim() === "";
      begins = ends || token === "-" || token === "?";
      first = ends;
      if (ends) lead = 0;
    }
    before = token;
    at += isMark ? 0 : token.length;
  }
  return undefined;
}

/** What `Lexer` puts before each text without quotes. */
const startOfScalar = "\u001f";
/** What it puts in that is no part of the text: that, where a document begins, and where a value in brackets ends. */
const marks: readonly string[] = [startOfScalar, "\u0002", "\u0018"];

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/** Why a document cannot be read at all. */
class Unreadable extends Error {}

type Place = readonly (string | number)[];

/** More than a thousand models need with all that can be said of them; reading ten times as much takes a minute. */
const mostLetters = 4_000_000;

/** One of the two numbers that stand for a letter together, without the other: YAML in UTF-8 cannot have it. */
const halfLetter = /\p{Surrogate}/u;

/** More values than any configuration has; aliases of aliases make billions of a few lines. */
const mostValues = 200_000;
const readAlike = ["tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"];

/** Looks at every value where it is used: what an alias stands for counts at each place. */
class Walk {
  private visited = 0;

  constructor(
    private readonly document: Document,
    private readonly misread: Misread[],
    private readonly rewritten: Misread[],
  ) {}

  /** @param inFlow whether it stands between brackets itself; what an alias there stands for need not. */
  visit(node: unknown, path: Place, within: readonly unknown[], inFlow = false): void {
    this.visited += 1;
    if (this.visited > mostValues) throw new Unreadable(`it has more than ${mostValues} values.`);
    if (within.includes(node)) throw new Unreadable(`an anchor refers to itself: ${path.join(".")}.`);
    const inside = [...within, node];
    if (isAlias(node)) {
      this.visit(node.resolve(this.document), path, inside);
      return;
    }
    const { tag, anchor, flow } = (node ?? {}) as { tag?: string; anchor?: string; flow?: boolean };
    const flows = inFlow || flow === true;
    checkAnchor(anchor);
    if (tag !== undefined && !readAlike.includes(tag))
      this.tell(
        path,
        `has the tag ${tag.replace("tag:yaml.org,2002:", "!!")}, which others read otherwise: leave it out`,
      );
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        const name = this.keyOf(key, path, flows);
        this.visit(value, name === "<<" ? path : [...path, name], inside, flows);
      }
    } else if (isSeq(node)) {
      node.items.forEach((item, index) => {
        this.visit(item, [...path, index], inside, flows);
      });
    } else if (isScalar(node)) {
      const half = typeof node.value === "string" ? halfLetter.exec(node.value)?.[0] : undefined;
      if (half !== undefined)
        throw new Unreadable(
          `${path.join(".")} has half of a letter: \\u${half.charCodeAt(0).toString(16)} stands for one with another half alone.`,
        );
      if (node.type === "PLAIN" && tag === undefined) {
        const wrong = misreading(node);
        if (inFlow && isOtherInFlow(node)) this.tellBetweenBrackets(path, node);
        else if (wrong === undefined) this.noteRewritten(path, node);
        else this.tell(path, wrong);
      }
    }
  }

  private noteRewritten(path: Place, { source = "", value }: Scalar): void {
    if (typeof value === "number" && source !== String(value))
      this.rewritten.push({
        path,
        message: `is ${source}, which is handed on as ${value}: put it in quotes`,
      });
  }

  /** The name of a key; one that is no text to Pulumi is told. */
  private keyOf(key: unknown, path: Place, inFlow: boolean): string {
    const plain = isScalar(key) && key.type === "PLAIN" && key.tag === undefined;
    checkAnchor((key as { anchor?: string } | null)?.anchor);
    if (plain && inFlow && isOtherInFlow(key))
      throw new Unreadable(`${path.join(".")}: ${betweenBrackets(key)}.`);
    const name = isScalar(key) ? (key.source ?? String(key.value)) : String(key);
    if (name === "<<") return name;
    const text =
      isScalar(key) && typeof key.value === "string" ? (plain ? misreading(key) : undefined) : "is no text";
    if (text !== undefined)
      this.tell([...path, name], `as a key ${text.replace(/: [^:]*$/, "")}: put it in quotes`);
    return name;
  }

  /** Outside of the configuration it keeps Pulumi from reading the file. */
  private tellBetweenBrackets(path: Place, node: Scalar): void {
    if (path[0] !== "config") throw new Unreadable(`${path.join(".")} ${betweenBrackets(node)}.`);
    this.tell(path, betweenBrackets(node));
  }

  private tell(path: Place, message: string | undefined): void {
    if (message !== undefined) this.misread.push({ path, message });
  }
}

function checkAnchor(anchor: string | undefined): void {
  if (anchor !== undefined && !/^[\w-]+$/.test(anchor))
    throw new Unreadable(`the anchor &${anchor} has more than letters from a to z, digits, - and _.`);
}

/** Whether a plain text is another one to Pulumi where it stands between brackets, or none. */
function isOtherInFlow({ source = "" }: Scalar): boolean {
  return /^:|\?/.test(source);
}

function betweenBrackets({ source = "" }: Scalar): string {
  return `is ${source}, which Pulumi reads otherwise between { and } or [ and ]: put it in quotes`;
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
