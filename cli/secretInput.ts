import { text } from "node:stream/consumers";

import { read } from "read";

import { isInteractive } from "./ask";
import { Interrupted, UserError } from "./errors";

const longest = 4096;

/**
 * Reads a secret: in a terminal without showing what is typed, else all of the standard input.
 *
 * @param question what is asked for, to stand before a colon.
 * @throws UserError it is empty, too long, or has more than one line.
 */
export async function readSecret(question: string): Promise<string> {
  const given = isInteractive() ? await typed(question) : (await text(process.stdin)).replace(/\r?\n$/, "");
  const problem =
    given === ""
      ? "is empty"
      : /[\0-\x1F\x7F]/.test(given)
        ? "has more than one line, or characters that cannot be printed"
        : given.length > longest
          ? `has more than ${longest} characters`
          : undefined;
  if (problem === undefined) return given;
  throw new UserError(
    `the secret ${problem}, and nothing was changed. Type it, or hand it on: npm run secret -- KEY < FILE`,
  );
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
