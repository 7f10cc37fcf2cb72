import type { Check, Problem } from "./problem";
import type { StackRecord } from "./stackRecord";

/** A stale lock of the stack, and operations that the state calls pending: what an interrupted run leaves behind. */
export const stackCheck: Check = {
  title: "the stack's state",
  examine: async ({ stack }) => {
    if (stack === undefined) return [];
    const holders = stack.holders();
    const elsewhere = holders.find(({ alive }) => alive === undefined);
    if (elsewhere !== undefined)
      return [lockedElsewhere(stack.name, elsewhere.elsewhere ?? "", elsewhere.since)];
    // Whoever is at work has operations under way.
    if (isBusy(stack)) return [];
    const pending = await stack.pending();
    const [stale] = holders;
    const problems: Problem[] = [];
    const settle = () => stack.settle();
    if (stale !== undefined)
      problems.push({
        title: `stale lock of stack ${stack.name}`,
        found: `process ${stale.pid}, which took it at ${stale.since}, has ended`,
        means: "the Pulumi CLI refuses every run on the stack",
        mend: { description: "remove the lock, and compare the state with the cluster", apply: settle },
      });
    if (pending.length > 0)
      problems.push({
        title: `pending operations in the state of stack ${stack.name}`,
        found: `a run was cut off in the middle of: ${pending.map(nameOf).join(", ")}`,
        means: "nobody knows whether these are there, so that the next run may make them twice or not at all",
        mend: { description: "settle them by a look at the cluster", apply: settle },
      });
    return problems;
  },
};

/** Whether a run is at work on the stack, or may be. */
export function isBusy(stack: StackRecord | undefined): boolean {
  return stack?.holders().some(({ alive }) => alive !== false) ?? false;
}

function lockedElsewhere(stack: string, host: string, since: string): Problem {
  return {
    title: `lock of stack ${stack}`,
    found: `a run on ${host} has held it since ${since}`,
    means:
      "every other run on the stack is refused; whether that one is still at work cannot be told from here",
    mend: {
      description: "if it has ended there, remove the lock",
      command: `pulumi cancel --stack ${stack}`,
    },
  };
}

/** A resource's name, and the kind of thing it is. */
function nameOf(urn: string): string {
  const parts = urn.split("::");
  return `${parts.at(-1) ?? urn} (${parts.at(-2)?.split(":").at(-1) ?? "?"})`;
}
