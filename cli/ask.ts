import { createInterface } from "node:readline/promises";

/** Where a question is asked. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** Where this command was started. */
const here: Terminal = { input: process.stdin, output: process.stdout };

/** Whether somebody is there to be asked. */
export function isInteractive({ input, output }: Terminal = here): boolean {
  return input.isTTY === true && output.isTTY === true;
}

/**
 * Asks a question that is answered with yes or no; whatever is not yes is no.
 *
 * @param signal takes the question back; its reason is thrown.
 */
export async function agreed(question: string, terminal = here, signal?: AbortSignal): Promise<boolean> {
  return /^y(es)?$/i.test(await answer(`${question} [y/N]`, terminal, signal));
}

/**
 * Asks for a line.
 *
 * @param signal takes the question back; its reason is thrown.
 * @returns it without blanks around it; empty if the terminal was closed.
 */
export async function answer(
  question: string,
  { input, output }: Terminal = here,
  signal?: AbortSignal,
): Promise<string> {
  const questions = createInterface({ input, output });
  // A terminal that is closed is an answer too, or the question would never end.
  const closed = new Promise<string>((resolve) =>
    questions.once("close", () => {
      resolve("");
    }),
  );
  try {
    const asked = questions.question(`${question} `, { ...(signal && { signal }) });
    return (await Promise.race([asked, closed])).trim();
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    questions.close();
  }
}
