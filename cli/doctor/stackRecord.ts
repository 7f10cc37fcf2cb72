import { hostname } from "node:os";

import { inCluster } from "../cluster/ownObjects";
import type { Cluster } from "../cluster/cluster";
import { chooseBackend } from "../engine/backend";
import { findOrBuildEngine } from "../engine/engine";
import { hasEnded, locksOf } from "../engine/locks";
import { keptContext } from "../engine/settings";
import { project } from "../paths";
import { EngineStack } from "../engine/stack";
import type { Step } from "../progress";

/** Who is changing a stack, or was. */
export interface Holder {
  readonly pid: number;
  /** Another machine's name; undefined for this one. */
  readonly elsewhere: string | undefined;
  readonly since: string;
  /** Undefined where nobody can tell from here. */
  readonly alive: boolean | undefined;
}

/** What the engine has written down of a stack. */
export interface StackRecord {
  readonly name: string;
  holders(): readonly Holder[];
  /** Resources with which something was under way when a run was cut off, as URNs. */
  pending(): Promise<readonly string[]>;
  /** Settles what an interrupted run has left. @throws StackBusy another run is at work. */
  settle(): Promise<void>;
}

/**
 * The books of a stack that was brought up from here; undefined if it was not. Nothing is opened before it is asked.
 *
 * @param step hears what is being done.
 */
export function stackRecord(
  name: string,
  cluster: Cluster,
  step: Step,
  signal: AbortSignal,
): StackRecord | undefined {
  if (keptContext(name) === undefined) return undefined;
  const backendUrl = chooseBackend(name).url;
  let opened: Promise<EngineStack> | undefined;
  const open = () =>
    (opened ??= findOrBuildEngine(step, signal).then((engine) => EngineStack.open(name, engine, undefined)));
  return {
    name,
    holders: () => locksOf(name, { backendUrl, project }).map(holderOf),
    pending: async () => {
      const { pending_operations: pending = [] } = await (await open()).state();
      return pending.map(({ resource }) => resource.urn);
    },
    settle: async () => {
      await (await open()).recover(inCluster(cluster), "up", step);
    },
  };
}

function holderOf(lock: ReturnType<typeof locksOf>[number]): Holder {
  const here = lock.hostname === hostname();
  return {
    pid: lock.pid,
    elsewhere: here ? undefined : lock.hostname,
    since: lock.timestamp,
    alive: here ? !hasEnded(lock) : undefined,
  };
}
