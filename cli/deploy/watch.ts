import { setTimeout as sleep } from "node:timers/promises";

import { namespaceNames } from "../../components/capabilities";
import type { Cluster } from "../cluster/cluster";
import type { Diagnosis } from "../cluster/diagnosis/diagnosis";
import { refusedBy } from "../cluster/diagnosis/refused";
import { blamesMlflow } from "../cluster/diagnosis/logs";
import { ClusterWatch } from "../cluster/diagnosis/watch";
import { EngineFailed } from "../engine/stack";
import { Interrupted, UserError } from "../errors";
import { listed } from "../../config/words";
import { backend } from "../serving/backend";
import { type Busy, concerns } from "./busy";
import type { DeploymentView } from "./view";

/** What takes longer than this is asked about. */
const patientMilliseconds = 3_000;
const pauseMilliseconds = 1_500;
/** What takes longer than this may be for want of a way from pod to pod. */
const networkMilliseconds = 12_000;

/** What a pod finds wrong with names and Services. */
export type NetworkLook = (signal: AbortSignal) => Promise<readonly Diagnosis[]>;

/** What is under way when something else has failed is given so long to come to its end. */
const graceMilliseconds = 15_000;

/** Something will not come up, however long it is waited for. */
export class Hopeless extends UserError {
  override readonly name = "Hopeless";
}

/**
 * Looks, for as long as the engine runs, why it still waits, and shows that. Once, when that takes long, it has a pod look at
 * the network, whose faults no object of the cluster tells.
 *
 * @param done is aborted when the engine has ended.
 * @param grace milliseconds for what is under way when something else has failed: the run is lost, and the wait with it.
 * @returns what will not mend itself, as soon as there is such a thing; undefined if the engine has ended before.
 */
export async function watchDeployment(
  cluster: Cluster,
  view: DeploymentView,
  done: AbortSignal,
  network?: NetworkLook,
  grace = graceMilliseconds,
): Promise<UserError | undefined> {
  const watch = new ClusterWatch(cluster);
  let looking: Promise<void> | undefined;
  let fault: Diagnosis | undefined;
  while (await pause(done)) {
    if (view.failedAt !== undefined && Date.now() - view.failedAt > grace) {
      const failed = new EngineFailed(view.said);
      view.stopping(failed);
      return failed;
    }
    const waiting = view.busy().filter(({ since }) => Date.now() - since > patientMilliseconds);
    if (waiting.some(({ since }) => Date.now() - since > networkMilliseconds))
      // That nobody can look is no reason to end what goes on.
      looking ??= network?.(done).then(
        ([first]) => void (fault = first),
        () => undefined,
      );
    if (fault !== undefined) {
      const hopeless = new Hopeless(explanation(fault, "pods do not reach one another"));
      view.stopping(hopeless);
      return hopeless;
    }
    const namespaces = [...new Set(waiting.map(namespaceOf).filter((name) => name !== ""))];
    if (namespaces.length === 0) continue;
    const findings = await watch.look(namespaces);
    view.explain(findings);
    await letModelsGo(cluster, waiting);
    await replaceStuckPods(
      cluster,
      findings.filter((finding) => waiting.some((busy) => concerns(finding, busy))),
    );
    for (const busy of waiting) {
      const since = new Date(busy.since + cluster.now().getTime() - Date.now());
      const finding = findings.find(
        (one) => one.severity === "error" && concerns(one, busy) && isNew(one, since),
      );
      if (finding === undefined) continue;
      const what = busy.doing === "removing" ? "cannot be removed" : "does not come up";
      const hopeless = new Hopeless(explanation(finding, `${busy.part.title} ${what}`));
      view.stopping(hopeless, busy);
      return hopeless;
    }
  }
  // It takes away what it has made.
  await looking;
  return undefined;
}

/**
 * The reason that the cluster has for a failure of the engine, which often ends before it was asked. The engine's own
 * is an address in its books, and what its provider made of it.
 *
 * @returns the error, if the cluster knows nothing better.
 */
export async function behindFailure(
  cluster: Cluster,
  view: DeploymentView,
  error: unknown,
): Promise<unknown> {
  const { failures } = view;
  if (!(error instanceof EngineFailed) || failures.length === 0) return error;
  const findings = await new ClusterWatch(cluster).look([...new Set(failures.map(namespaceOf))]);
  const told = failures.flatMap((busy) => {
    const finding = findings.find((one) => isFault(one) && concerns(one, busy));
    return finding === undefined ? [] : [explanation(finding, `${busy.part.title} does not come up`)];
  });
  if (told.length > 0) return new Hopeless([...new Set(told)].join("\n"));
  const refused = refusedBy(error.message);
  if (refused === undefined) return error;
  const titles = listed([...new Set(failures.map(({ part }) => part.title))]);
  return new Hopeless(explanation({ what: refused.why, mend: refused.mend }, `${titles} cannot be made`));
}

/** What the cluster knows of an error that a question to it has met: the most telling fault of all, if there is one. */
export async function behindError(cluster: Cluster, error: unknown): Promise<unknown> {
  if (!(error instanceof UserError) || error instanceof Interrupted) return error;
  const watch = new ClusterWatch(cluster);
  const findings = await watch.look(Object.values(namespaceNames));
  const finding = findings.find(isFault);
  if (finding !== undefined) return new UserError(explanation(finding, `${error.message}\n  In the cluster`));
  const said = blamesMlflow([error.message]) ? await watch.mlflowSays() : undefined;
  if (said === undefined) return error;
  const mend = said.mend === undefined ? "" : `\n  ${said.mend}`;
  return new UserError(`${error.message}\n  MLflow says: ${said.line}${mend}`);
}

/** Whether it is more than a start that takes its time, or a cluster that cannot be asked. */
function isFault({ cause }: Diagnosis): boolean {
  return cause !== "start" && cause !== "cluster";
}

/** Waits a while. @returns whether to go on. */
async function pause(done: AbortSignal): Promise<boolean> {
  await sleep(pauseMilliseconds, undefined, { signal: done }).catch(() => undefined);
  return !done.aborted;
}

/** A finding as an error: what, why, what was logged last, what to do. */
export function explanation(
  { what, log = [], mend }: Pick<Diagnosis, "log" | "what"> & { readonly mend?: string | undefined },
  subject: string,
): string {
  const said = log.length === 0 ? "" : `\n  Its last lines:\n${log.map((line) => `    ${line}`).join("\n")}`;
  return `${subject}: ${what}.${said}${mend === undefined ? "" : `\n  ${mend}`}`;
}

/** Whether it has failed since a moment by the cluster's clock: what failed before is perhaps just being mended. */
export function isNew({ at }: Diagnosis, since: Date): boolean {
  return at === undefined || Date.parse(at) >= since.getTime();
}

/**
 * A stack that was brought up before `deletionPropagationPolicy` stood in it has its models wait for their pods when they
 * are removed. Now they go before them.
 */
async function letModelsGo(cluster: Cluster, waiting: readonly Busy[]): Promise<void> {
  for (const { doing, kind, namespace, name } of waiting)
    if (doing === "removing" && kind === backend.kind)
      await cluster
        .remove(`${backend.addressIn(namespace)}/${name}?propagationPolicy=Background`)
        .catch(() => false);
}

function namespaceOf({ kind, namespace, name }: Busy): string {
  return kind === "Namespace" ? name : namespace;
}

/**
 * A pod of a StatefulSet that never came up is not replaced when its cause is mended (kubernetes/kubernetes#67250), so
 * that is done here. It holds nothing: what it would have written lies on its volume.
 */
export async function replaceStuckPods(cluster: Cluster, findings: readonly Diagnosis[]): Promise<void> {
  for (const { object, stuckPod } of findings)
    if (stuckPod === true)
      await cluster.remove(`/api/v1/namespaces/${object.namespace}/pods/${object.name}`).catch(() => false);
}
