import { tell } from "./crash";
import { Interrupted } from "./errors";

/** A terminal's Ctrl-C comes twice, from the terminal and from npm: this much later it is another one. */
const againMilliseconds = 1_000;
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** How long a command may take to stop; an engine has less, so that it is ended before. */
export const stopMilliseconds = 9_000;

/** The wish to stop, as a signal that every step of a command heeds. */
export interface Interruption {
  /** Aborted, with an `Interrupted`, when the process is told to stop. */
  readonly signal: AbortSignal;
  /** From now on a stop that takes longer, in milliseconds, is ended by force. Until then it may take any time. */
  readonly within: (milliseconds: number) => void;
  /** Gives the process its ordinary reaction to signals back. */
  readonly dispose: () => void;
}

/**
 * Turns Ctrl-C and its like into an abort, so that a command can clean up.
 *
 * @param force is called when the user insists, with a second Ctrl-C, or when it takes too long; the process ends after it.
 */
export function onInterruption(force: () => void): Interruption {
  const controller = new AbortController();
  let first: number | undefined;
  let patience: number | undefined;
  let end: NodeJS.Timeout | undefined;
  const heed = (signal: NodeJS.Signals) => {
    const interrupted = new Interrupted(signal);
    if (first !== undefined && Date.now() - first > againMilliseconds) {
      force();
      process.exit(interrupted.exitCode);
    }
    first ??= Date.now();
    if (patience !== undefined)
      end ??= setTimeout(() => {
        force();
        process.exit(tell(interrupted));
      }, patience).unref();
    controller.abort(interrupted);
  };
  for (const signal of signals) process.on(signal, heed);
  return {
    signal: controller.signal,
    within: (milliseconds) => {
      patience = milliseconds;
    },
    dispose: () => {
      clearTimeout(end);
      for (const signal of signals) process.off(signal, heed);
    },
  };
}
