/** An error that the user can mend: shown as its message alone, without a stack. */
export class UserError extends Error {
  override readonly name: string = "UserError";

  /**
   * @param message what is wrong, where it stands, and how to mend it.
   * @param exitCode the exit code of the command. @default 1
   */
  constructor(
    message: string,
    readonly exitCode = 1,
  ) {
    super(message);
  }
}

/** The user, or the system, asked the command to stop. */
export class Interrupted extends UserError {
  override readonly name = "Interrupted";

  constructor(signal: NodeJS.Signals) {
    const codes: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };
    super(`stopped by ${signal}; run the same command again to go on`, codes[signal] ?? 1);
  }
}

/** Tells machines of an error, if the command was asked to speak to them: on standard output, as one object. */
export function tellMachines(message: string): void {
  if (process.argv.includes("--json"))
    process.stdout.write(`${JSON.stringify({ event: "error", message })}\n`);
}

/** Why a request got no answer, from what `fetch` throws: by itself that says only that it failed. */
export function requestFailure(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const { code = "", name } = cause as NodeJS.ErrnoException;
  if (code === "ECONNREFUSED") return "nothing listens there";
  if (code === "ECONNRESET" || code === "UND_ERR_SOCKET") return "the connection was broken off";
  if (name === "TimeoutError") return "it took too long";
  return messageOf(cause) || code;
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What is behind an error that says no more than that something failed, as those of fetch do. */
export function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error;
}
