import type { V1Job, V1Pod } from "@kubernetes/client-node";

import type { Live } from "../cluster";
import { codeInWords, containersOf } from "./containers";
import { type Diagnosis, type LoggedContainer, type Trouble, severityOf } from "./diagnosis";
import { concernedBy } from "./owners";
import { type Scene, condition, count, isLeaving, nameOf } from "./scene";

/** From this failed pod on, another attempt is no use. */
const hopelessAttempts = 3;

/** How each Job fares that has not succeeded. Those whose present pod is told of already are for the caller to leave out. */
export function jobFindings(scene: Scene): Diagnosis[] {
  return scene.view.jobs.flatMap((job) => {
    const trouble = isLeaving(job) || job.spec?.suspend ? undefined : jobTrouble(scene, job);
    if (trouble === undefined) return [];
    const name = nameOf(job);
    const object = { kind: "Job", namespace: scene.view.name, name };
    return [{ object, ...concernedBy(job), job: name, ...trouble }];
  });
}

function jobTrouble(scene: Scene, job: Live<V1Job>): Trouble | undefined {
  const { conditions, failed = 0, startTime } = job.status ?? {};
  const who = inFull(job);
  if (condition(conditions, "Complete", "SuccessCriteriaMet")) return undefined;
  const pods = scene.view.pods
    .filter(({ metadata }) => metadata?.ownerReferences?.some(({ uid }) => uid === job.metadata?.uid))
    .sort((a, b) => ((a.metadata?.creationTimestamp ?? "") < (b.metadata?.creationTimestamp ?? "") ? -1 : 1));
  const last = ended(pods.findLast(({ status }) => status?.phase === "Failed"));
  const told = last && { container: last.container };
  const mend = last && {
    mend: `Its log says why: kubectl -n ${scene.view.name} logs ${last.container.pod} -c ${last.container.name}`,
  };
  // What has been decided is told at once; `Failed` follows when the last pod has gone.
  const end = condition(conditions, "FailureTarget", "Failed");
  const attempts = `${count(failed, "attempt")}${last ? `, the last with ${codeInWords(last.exitCode)}` : ""}`;
  if (end !== undefined)
    return {
      cause: "job",
      what:
        end.reason === "DeadlineExceeded"
          ? `${who} has failed: it did not end within ${job.spec?.activeDeadlineSeconds ?? 0} s`
          : `${who} has failed (${attempts})`,
      ...told,
      ...(mend ?? { mend: `See why: kubectl -n ${scene.view.name} describe job ${nameOf(job)}` }),
      severity: "error",
      ...(end.lastTransitionTime && { at: end.lastTransitionTime }),
    };
  if (failed > 0)
    return {
      cause: "job",
      what: `${who} fails and is tried again (${attempts})`,
      ...told,
      ...mend,
      severity: severityOf(failed >= hopelessAttempts),
      ...(last?.at && { at: last.at }),
    };
  const running = pods.findLast(({ status }) => status?.phase === "Running");
  if (running === undefined) return undefined;
  return {
    cause: "start",
    what: `${who} runs for ${scene.since(startTime)} s`,
    container: { pod: nameOf(running), name: running.spec?.containers[0]?.name ?? "", previous: false },
    severity: "warning",
  };
}

/** `Job house-price-train`; a Job of Helm's by the moment at which it runs. */
function inFull(job: Live<V1Job>): string {
  const hook = job.metadata?.annotations?.["helm.sh/hook"];
  return hook === undefined
    ? `Job ${nameOf(job)}`
    : `Helm hook ${nameOf(job)} (${hook.replaceAll(",", ", ")})`;
}

/** How a failed pod has ended. */
function ended(
  pod: Live<V1Pod> | undefined,
): { container: LoggedContainer; exitCode: number; at: string | undefined } | undefined {
  const part = pod && containersOf(pod).find(({ status }) => (status.state?.terminated?.exitCode ?? 0) !== 0);
  const end = part?.status.state?.terminated;
  if (part === undefined || end === undefined) return undefined;
  return {
    container: { pod: nameOf(part.pod), name: part.spec.name, previous: false },
    exitCode: end.exitCode,
    at: end.finishedAt,
  };
}
