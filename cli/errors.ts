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

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
