import { setTimeout as sleep } from "node:timers/promises";

import type { Cluster } from "../cluster/cluster";
import type { Finding } from "../cluster/diagnosis/finding";
import { ClusterWatch } from "../cluster/diagnosis/watch";
import { UserError } from "../errors";
import { type Busy, concerns } from "./busy";
import type { DeploymentView } from "./view";

/** What takes longer than this is asked about. */
const patientMilliseconds = 3_000;
const pauseMilliseconds = 1_500;

/** Something will not come up, however long it is waited for. */
export class Hopeless extends UserError {
  override readonly name = "Hopeless";
}

/**
 * Looks, for as long as the engine runs, why it still waits, and shows that.
 *
 * @param done is aborted when the engine has ended.
 * @returns what will not mend itself, as soon as there is such a thing; undefined if the engine has ended before.
 */
export async function watchDeployment(
  cluster: Cluster,
  view: DeploymentView,
  done: AbortSignal,
): Promise<Hopeless | undefined> {
  const watch = new ClusterWatch(cluster);
  while (await pause(done)) {
    const waiting = view.busy().filter(({ since }) => Date.now() - since > patientMilliseconds);
    const namespaces = [...new Set(waiting.map(namespaceOf).filter((name) => name !== ""))];
    if (namespaces.length === 0) continue;
    const findings = await watch.look(namespaces);
    view.explain(findings);
    await replaceStuckPods(cluster, findings, waiting);
    for (const busy of waiting) {
      const since = new Date(busy.since + cluster.now().getTime() - Date.now());
      const finding = findings.find((one) => one.hopeless && concerns(one, busy) && isNew(one, since));
      if (finding === undefined) continue;
      const what = busy.doing === "removing" ? "cannot be removed" : "does not come up";
      const hopeless = new Hopeless(explanation(finding, `${busy.part.title} ${what}`));
      view.stopping(hopeless, busy);
      return hopeless;
    }
  }
  return undefined;
}

/** Waits a while. @returns whether to go on. */
async function pause(done: AbortSignal): Promise<boolean> {
  await sleep(pauseMilliseconds, undefined, { signal: done }).catch(() => undefined);
  return !done.aborted;
}

/** A finding as an error: what, why, what was logged last, what to do. */
export function explanation({ reason, log = [], mend }: Finding, what: string): string {
  const said = log.length === 0 ? "" : `\n  Its last lines:\n${log.map((line) => `    ${line}`).join("\n")}`;
  return `${what}: ${reason}.${said}${mend === undefined ? "" : `\n  ${mend}`}`;
}

/** Whether it has failed since a moment by the cluster's clock: what failed before is perhaps just being mended. */
export function isNew({ at }: Finding, since: Date): boolean {
  return at === undefined || Date.parse(at) >= since.getTime();
}

function namespaceOf({ kind, namespace, name }: Busy): string {
  return kind === "Namespace" ? name : namespace;
}

/**
 * A pod of a StatefulSet that never came up is not replaced when its cause is mended (kubernetes/kubernetes#67250), so
 * that is done here. It holds nothing: what it would have written lies on its volume.
 */
async function replaceStuckPods(
  cluster: Cluster,
  findings: readonly Finding[],
  waiting: readonly Busy[],
): Promise<void> {
  const stuck = findings.filter(
    (one) => one.stuckPod === true && waiting.some((busy) => concerns(one, busy)),
  );
  for (const { object } of stuck)
    await cluster.remove(`/api/v1/namespaces/${object.namespace}/pods/${object.name}`).catch(() => false);
}
