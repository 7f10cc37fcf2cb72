import { setTimeout as sleep } from "node:timers/promises";

import { messageOf } from "../errors";

const events = ["uncaughtException", "unhandledRejection"] as const;
const quietMilliseconds = 30;

/** The work that runs. Whose an error is cannot be told from the error, so that there is one at a time. */
let running: Promise<unknown> = Promise.resolve();

/**
 * Runs work whose errors may surface anywhere: one thrown inside an `apply` rejects promises that nobody awaits,
 * and what waits for them never ends. All errors that come together are gathered.
 *
 * @throws Error the only error, as it was thrown; an AggregateError whose message has those of all.
 */
export function collectingErrors<T>(work: () => Promise<T>): Promise<T> {
  const result = running.then(() => collected(work));
  running = result.catch(() => undefined);
  return result;
}

async function collected<T>(work: () => Promise<T>): Promise<T> {
  // One error rejects several promises; two applies may throw equal ones.
  const errors = new Map<string, unknown>();
  let failed: () => void = () => undefined;
  const failure = new Promise<undefined>((resolve) => {
    failed = () => {
      resolve(undefined);
    };
  });
  const collect = (error: unknown): undefined => {
    errors.set(messageOf(error), error);
    failed();
  };
  const restore = replaceListeners(collect);
  try {
    const success = await Promise.race([work().then((value) => ({ value }), collect), failure]);
    for (let seen = -1; seen !== errors.size;) {
      seen = errors.size;
      await sleep(errors.size === 0 ? 0 : quietMilliseconds);
    }
    if (success !== undefined && errors.size === 0) return success.value;
  } finally {
    restore();
  }
  const [only, ...others] = errors.values();
  if (others.length === 0) throw only;
  throw new AggregateError(errors.values(), [...errors.keys()].join("\n"));
}

/** Takes the place of all listeners, since each of them would end the process. @returns puts them back. */
function replaceListeners(collect: (error: unknown) => void): () => void {
  const others = events.map((event) => [event, process.rawListeners(event)] as const);
  for (const event of events) process.removeAllListeners(event).on(event, collect);
  return () => {
    for (const [event, listeners] of others) {
      process.removeListener(event, collect);
      for (const listener of listeners) process.on(event, listener as () => void);
    }
  };
}
