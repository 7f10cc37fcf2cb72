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
  if (given === "") throw refusal("is empty");
  if (given.length > longest) throw refusal(tooLong);
  if (/[\0-\x1F\x7F]/.test(given))
    throw refusal("has more than one line, or characters that cannot be printed");
  return given;
}

const tooLong = `has more than ${longest} characters`;

function refusal(problem: string): UserError {
  return new UserError(
    `the secret ${problem}, and nothing was changed. Type it, or hand it on: npm run secret -- KEY < FILE`,
  );
}

async function handedOn(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of input as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    // Of so many bytes no text is short enough, with the end of its line.
    if (size > 4 * longest + 2) throw refusal(tooLong);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)).replace(/\r?\n$/, "");
  } catch {
    throw refusal("is no text in UTF-8");
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
