import type { Readable } from "node:stream";

import { read } from "read";

import { isInteractive } from "./ask";
import { Interrupted, UserError } from "./errors";

const longest = 4096;

/**
 * Reads a secret: in a terminal without showing what is typed, else all of the standard input.
 *
 * @param question what is asked for, to stand before a colon.
 * @param input where it is handed on, if it is. @default the standard input, unless somebody can be asked
 * @throws UserError it is empty, too long, no text, or has more than one line.
 */
export async function readSecret(question: string, input?: Readable): Promise<string> {
  const given =
    input === undefined && isInteractive() ? await typed(question) : await handedOn(input ?? process.stdin);
  const problem = given === undefined ? "is no text in UTF-8" : problemOf(given);
  if (problem === undefined && given !== undefined) return given;
  throw new UserError(
    `the secret ${problem ?? ""}, and nothing was changed. Type it, or hand it on: npm run secret -- KEY < FILE`,
  );
}

function problemOf(given: string): string | undefined {
  if (given === "") return "is empty";
  if (given.length > longest) return `has more than ${longest} characters`;
  return /[\0-\x1F\x7F]/.test(given)
    ? "has more than one line, or characters that cannot be printed"
    : undefined;
}

/** @returns the beginning of what is too long; undefined if it is no text. */
async function handedOn(input: Readable): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of input as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > 4 * longest + 2) return "x".repeat(longest + 1);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)).replace(/\r?\n$/, "");
  } catch {
    return undefined;
  }
}

async function typed(question: string): Promise<string> {
  try {
    return await read({ prompt: `${question}: `, silent: true });
  } catch {
    // Ctrl-C, or the terminal was closed.
    throw new Interrupted("SIGINT");
  } finally {
    process.stdout.write("\n");
  }
}
