/** Jobs, and what begins them by a schedule. */
import type { V1CronJob, V1Job, V1Pod } from "@kubernetes/client-node";

import { batchRole } from "../../components/batch/footprint";
import type { Cluster, Live } from "../cluster/cluster";
import type { Item } from "./item";

/** Kubernetes gives it to the pods of Jobs. */
const jobLabel = "batch.kubernetes.io/job-name";
const answerMilliseconds = 5_000;

/**
 * The Jobs of some namespaces that have not come to a good end, and the schedules with their last runs. @throws Refused
 *
 * A run of a schedule that has failed is no news any more when a later one has ended well.
 */
export async function jobItems(cluster: Cluster, namespaces: readonly string[]): Promise<readonly Item[]> {
  const [jobs, schedules] = await Promise.all([
    listIn<V1Job>(cluster, namespaces, "jobs"),
    listIn<V1CronJob>(cluster, namespaces, "cronjobs"),
  ]);
  const ofJobs = jobs.filter((job) => !isOvertaken(job, jobs)).map((job) => jobItem(cluster, job));
  const ofSchedules = schedules.map((schedule) => scheduleItem(schedule, jobs));
  return [...(await Promise.all(ofJobs)).flat(), ...ofSchedules];
}

async function jobItem(cluster: Cluster, job: Live<V1Job>): Promise<Item[]> {
  const { metadata, status } = job;
  if (isMet(job, "Complete")) return [];
  const failed = conditionOf(job, "Failed");
  const own = { part: "job", name: nameOf(metadata) } as const;
  if (failed === undefined) {
    const began = `since ${status?.startTime ?? "just now"}`;
    const progress = await progressOf(cluster, job);
    return [{ ...own, health: "well", state: "running", detail: [began, ...progress].join("; ") }];
  }
  const name = metadata?.name ?? "";
  const next = scheduleOf(job) === undefined ? ", then: npm run up" : "";
  const detail = failed.message ?? failed.reason ?? "";
  return [{ ...own, health: "ill", state: "failed", detail, mend: `npm run logs -- ${name}${next}` }];
}

/** How far a table has been scored. What the pods say last is in their logs. */
async function progressOf(cluster: Cluster, { metadata, spec, status }: Live<V1Job>): Promise<string[]> {
  if (metadata?.labels?.["app.kubernetes.io/component"] !== batchRole) return [];
  const { name = "", namespace = "" } = metadata;
  const ended = `${status?.succeeded ?? 0} of ${spec?.completions ?? 1} pods have ended`;
  // After each failure the next pods are longer in coming, up to ten minutes.
  const pause = (status?.active ?? 0) === 0 ? ", and Kubernetes waits before it begins the next" : "";
  const done = status?.failed ? `${ended}; ${status.failed} have failed${pause}` : ended;
  try {
    const selector = encodeURIComponent(`${jobLabel}=${name}`);
    const pods = await cluster.list<V1Pod>(`/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`);
    const running = pods.filter((pod) => pod.status?.phase === "Running");
    const lines = await Promise.all(
      running.map(async (pod) => {
        const log = `/api/v1/namespaces/${namespace}/pods/${pod.metadata?.name ?? ""}/log?tailLines=1`;
        return (await cluster.send(log, { timeout: answerMilliseconds })).body.trim();
      }),
    );
    return [done, ...lines.filter((line) => line.includes("% of the table")).slice(0, 3)];
  } catch {
    // Whoever asks may see Jobs and no logs.
    return [done];
  }
}

function scheduleItem({ metadata, spec, status }: Live<V1CronJob>, jobs: readonly Live<V1Job>[]): Item {
  const own = jobs.filter((job) => scheduleOf(job) === nameOf(metadata)).sort(byAge);
  const last = own.at(-1);
  const state = spec?.suspend === true ? "suspended" : (spec?.schedule ?? "");
  const begun = status?.lastScheduleTime;
  const end =
    last === undefined
      ? ""
      : isMet(last, "Complete")
        ? ", ended well"
        : isMet(last, "Failed")
          ? ", failed"
          : ", under way";
  return {
    part: "schedule",
    name: nameOf(metadata),
    health: spec?.suspend === true ? "warning" : "well",
    state,
    detail: begun === undefined ? "has not begun anything yet" : `last run ${begun}${end}`,
  };
}

function isOvertaken(job: Live<V1Job>, jobs: readonly Live<V1Job>[]): boolean {
  const schedule = scheduleOf(job);
  const later = jobs.filter((other) => scheduleOf(other) === schedule && byAge(job, other) < 0);
  return schedule !== undefined && isMet(job, "Failed") && later.some((other) => isMet(other, "Complete"));
}

/** Namespace and name of the CronJob that has begun a Job. */
function scheduleOf({ metadata }: Live<V1Job>): string | undefined {
  const owner = metadata?.ownerReferences?.find(({ kind }) => kind === "CronJob");
  return owner && `${metadata?.namespace ?? ""}/${owner.name}`;
}

function byAge(one: Live<V1Job>, other: Live<V1Job>): number {
  const began = ({ metadata }: Live<V1Job>) => metadata?.creationTimestamp ?? "";
  return began(one) < began(other) ? -1 : began(one) > began(other) ? 1 : 0;
}

function conditionOf({ status }: Live<V1Job>, wanted: string) {
  return status?.conditions?.find(({ type, status: is }) => type === wanted && is === "True");
}

function isMet(job: Live<V1Job>, wanted: string): boolean {
  return conditionOf(job, wanted) !== undefined;
}

function nameOf(metadata: { namespace?: string; name?: string } | undefined): string {
  return `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
}

async function listIn<T>(cluster: Cluster, namespaces: readonly string[], kind: string): Promise<Live<T>[]> {
  const lists = namespaces.map((name) => cluster.list<T>(`/apis/batch/v1/namespaces/${name}/${kind}`));
  return (await Promise.all(lists)).flat();
}
