import { type ChildProcess, spawn } from "node:child_process";

/** The commands under way: they end with this process, as what a provider does ends with the provider. */
const running = new Set<ChildProcess>();

process.once("exit", () => {
  for (const child of running) child.kill();
});

/** Interrupts the commands under way, as a Ctrl-C does. */
export function interruptCommands(): void {
  for (const child of running) child.kill("SIGINT");
}

/** A command that could not do what it was asked to. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
}

/** There is no such command on the PATH. */
export class CommandMissing extends Error {
  override readonly name = "CommandMissing";
}

/**
 * Runs a command to its end.
 *
 * @param input goes to its standard input. What may be secret belongs there: arguments can be seen by everybody.
 * @returns what it wrote to standard output.
 * @throws CommandFailed with what it wrote to standard error.
 * @throws CommandMissing
 */
export function command(file: string, args: readonly string[], input = ""): Promise<string> {
  const child = spawn(file, args);
  running.add(child);
  let [output, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  // A command that ends without having read its input tells why by its exit code.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      running.delete(child);
      const missing = error.code === "ENOENT";
      reject(missing ? new CommandMissing(`there is no ${file} on the PATH`) : error);
    });
    child.once("close", (code, signal) => {
      running.delete(child);
      if (code === 0) resolve(output);
      else reject(new CommandFailed(errors.trim() || `${file} ended with ${signal ?? String(code)}`));
    });
  });
}
