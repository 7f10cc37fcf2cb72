import type { Finding } from "../../finding";
import type { Check } from "../checks/check";
import type { Patient } from "./patient";
import type { StackRecord } from "./stackRecord";

export const stackCheck: Check<Patient> = {
  subject: "the stack's state",
  asks: "whether an interrupted run has left a lock, or operations that the state calls pending",
  find: async ({ stack }) => {
    if (stack === undefined) return [];
    const holders = stack.holders();
    const elsewhere = holders.find(({ alive }) => alive === undefined);
    if (elsewhere !== undefined)
      return [lockedElsewhere(stack.name, elsewhere.elsewhere ?? "", elsewhere.since)];
    // Whoever is at work has operations under way.
    if (isBusy(stack)) return [];
    const pending = await stack.pending();
    const [stale] = holders;
    const findings: Finding[] = [];
    const settle = () => stack.settle();
    if (stale !== undefined)
      findings.push({
        severity: "error",
        what: `stale lock of stack ${stack.name}`,
        detail: `process ${stale.pid}, which took it at ${stale.since}, has ended`,
        means: "the Pulumi CLI refuses every run on the stack",
        mend: "remove the lock, and compare the state with the cluster",
        repair: settle,
      });
    if (pending.length > 0)
      findings.push({
        severity: "error",
        what: `pending operations in the state of stack ${stack.name}`,
        detail: `a run was cut off in the middle of: ${pending.map(nameOf).join(", ")}`,
        means: "nobody knows whether these are there, so that the next run may make them twice or not at all",
        mend: "settle them by a look at the cluster",
        repair: settle,
      });
    return findings;
  },
};

/** Whether a run is at work on the stack, or may be. */
export function isBusy(stack: StackRecord | undefined): boolean {
  return stack?.holders().some(({ alive }) => alive !== false) ?? false;
}

function lockedElsewhere(stack: string, host: string, since: string): Finding {
  return {
    severity: "error",
    what: `lock of stack ${stack}`,
    detail: `a run on ${host} has held it since ${since}`,
    means:
      "every other run on the stack is refused; whether that one is still at work cannot be told from here",
    mend: `if it has ended there, remove the lock: pulumi cancel --stack ${stack}`,
  };
}

/** A resource's name, and the kind of thing it is. */
function nameOf(urn: string): string {
  const parts = urn.split("::");
  return `${parts.at(-1) ?? urn} (${parts.at(-2)?.split(":").at(-1) ?? "?"})`;
}
