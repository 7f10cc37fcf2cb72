import { type Finding, errorsFirst } from "../../finding";
import { findingsOf } from "../checks/check";
import { beforehand } from "../checks/registry";
import { Inspection, type Preflight } from "./inspection";

/** Milliseconds after which no answer is waited for. */
const patience = 5_000;

/**
 * Finds out all that can be known to be wrong before anything in the cluster is changed, side by side and within
 * seconds. What cannot be found out is a warning by itself. Charts in a folder are not looked at here: without them, in
 * the version that is pinned, there is no plan.
 *
 * @returns errors first; none if all is well.
 */
export async function preflight(given: Preflight, signal: AbortSignal): Promise<Finding[]> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
  const inspection = new Inspection(given, limit);
  const late = rejectionOf(limit, `no answer within ${patience / 1000} s`);
  const found = await Promise.all(beforehand.map((check) => findingsOf(check, inspection, { late })));
  signal.throwIfAborted();
  return errorsFirst(found.flat());
}

/** Rejects when the signal is aborted. */
function rejectionOf(signal: AbortSignal, message: string): Promise<never> {
  return new Promise((_, reject) => {
    const give = () => {
      reject(new Error(message));
    };
    if (signal.aborted) give();
    else signal.addEventListener("abort", give, { once: true });
  });
}
