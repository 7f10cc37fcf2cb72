import { Refused } from "../cluster/cluster";
import { messageOf } from "../errors";
import { architecture } from "./architecture";
import { charts } from "./charts";
import { type Check, Inspection, type Preflight } from "./inspection";
import { deployedData } from "./deployedData";
import { ingress } from "./ingress";
import { obstacles } from "./obstacles";
import { ownImages } from "./ownImages";
import { permissions } from "./permissions";
import { ports } from "./ports";
import { prerequisites } from "./prerequisites";
import { type Problem, warning } from "./problem";
import { registries } from "./registries";
import { room } from "./room";
import { storage } from "./storage";
import { version } from "./version";

export type { Preflight } from "./inspection";
export type { Problem } from "./problem";

const checks: readonly Check[] = [
  version,
  room,
  storage,
  deployedData,
  architecture,
  permissions,
  obstacles,
  prerequisites,
  ingress,
  charts,
  registries,
  ownImages,
  ports,
];

/**
 * Finds out all that can be known to be wrong before anything in the cluster is changed, side by side and within
 * seconds. What cannot be found out is a warning by itself. Charts in a folder are not looked at here: without them, in
 * the version that is pinned, there is no plan.
 *
 * @param patience milliseconds after which no answer is waited for.
 * @returns errors first; none if all is well.
 */
export async function preflight(given: Preflight, signal: AbortSignal, patience = 5_000): Promise<Problem[]> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
  const inspection = new Inspection(given, limit);
  const late = rejectionOf(limit, `no answer within ${patience / 1000} s`);
  const found = (await Promise.all(checks.map((check) => outcome(check, inspection, late)))).flat();
  signal.throwIfAborted();
  return [
    ...found.filter(({ severity }) => severity === "error"),
    ...found.filter(({ severity }) => severity === "warning"),
  ];
}

async function outcome(
  check: Check,
  inspection: Inspection,
  late: Promise<never>,
): Promise<readonly Problem[]> {
  try {
    return await Promise.race([check.find(inspection), late]);
  } catch (cause) {
    const mend =
      cause instanceof Refused && cause.status === 403
        ? "Ask for the right to look, or go on if it is known to be well"
        : "Go on if it is known to be well";
    return [warning(`${check.subject} could not be checked: ${messageOf(cause)}`, mend)];
  }
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
