/** Jobs, and what begins them by a schedule. */
import type { V1CronJob, V1Job, V1Pod } from "@kubernetes/client-node";

import { jobRoles, roleLabel } from "../../components/roles";
import { nextRuns, scheduleZone } from "../../components/batch/schedule";
import type { Cluster, Live } from "../cluster/cluster";
import { jobLabel } from "../podLogs/sources";
import type { Item } from "./item";

const answerMilliseconds = 5_000;
/** How late Kubernetes may begin a run. */
const latestMilliseconds = 60_000;

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
  const { metadata, spec, status } = job;
  if (isMet(job, "Complete")) return [];
  const name = metadata?.name ?? "";
  const own = { part: "job", name: nameOf(metadata) } as const;
  const failed = conditionOf(job, "Failed") ?? conditionOf(job, "FailureTarget");
  if (failed !== undefined) {
    const detail = [failed.message ?? failed.reason ?? "", ...(await lastWords(cluster, job))].join(": ");
    const next = scheduleOf(job) === undefined ? ", then: npm run up" : "";
    return [{ ...own, health: "ill", state: "failed", detail, mend: `npm run logs -- ${name}${next}` }];
  }
  if (spec?.suspend === true) return [{ ...own, health: "warning", state: "suspended", detail: "" }];
  const { active = 0, failed: ended = 0, startTime = "just now" } = status ?? {};
  // After each failure the next pods are longer in coming, up to ten minutes.
  const pause = active === 0 ? ", and Kubernetes waits before it begins the next" : "";
  const trouble =
    ended > 0 ? [`${ended} pods have failed${pause}`] : active === 0 ? ["no pod of it runs"] : [];
  const detail = [`since ${startTime}`, ...trouble, ...(await progressOf(cluster, job))].join("; ");
  if (active === 0) {
    const mend = ended > 0 ? `npm run logs -- ${name}` : "npm run doctor";
    return [{ ...own, health: "warning", state: "waiting", detail, mend }];
  }
  return [{ ...own, health: "well", state: "running", detail }];
}

/** The sentence with which a pod has ended that scores a table. */
async function lastWords(cluster: Cluster, job: Live<V1Job>): Promise<string[]> {
  if (!isBatch(job)) return [];
  const pods = await podsOf(cluster, job).catch(() => []);
  const said = pods
    .flatMap((pod) => pod.status?.containerStatuses ?? [])
    .flatMap(({ state }) => state?.terminated?.message ?? []);
  return said
    .flatMap((text) => /^error: (.*)$/m.exec(text)?.[1] ?? [])
    .map(printable)
    .slice(0, 1);
}

/** How far a table has been scored. What the pods say last is in their logs. */
async function progressOf(cluster: Cluster, job: Live<V1Job>): Promise<string[]> {
  if (!isBatch(job)) return [];
  const done = `${job.status?.succeeded ?? 0} of ${job.spec?.completions ?? 1} pods have ended`;
  try {
    const running = (await podsOf(cluster, job)).filter((pod) => pod.status?.phase === "Running");
    const lines = await Promise.all(
      running.map(async ({ metadata }) => {
        const pod = `/api/v1/namespaces/${metadata?.namespace ?? ""}/pods/${metadata?.name ?? ""}`;
        return (await cluster.send(`${pod}/log?tailLines=1`, { timeout: answerMilliseconds })).body;
      }),
    );
    const told = lines.filter((line) => line.includes("% of the table")).map(printable);
    return [done, ...told.slice(0, 3)];
  } catch {
    // Whoever asks may see Jobs and no logs.
    return [done];
  }
}

function podsOf(cluster: Cluster, { metadata }: Live<V1Job>): Promise<Live<V1Pod>[]> {
  const selector = encodeURIComponent(`${jobLabel}=${metadata?.name ?? ""}`);
  return cluster.list<V1Pod>(
    `/api/v1/namespaces/${metadata?.namespace ?? ""}/pods?labelSelector=${selector}`,
  );
}

function isBatch({ metadata }: Live<V1Job>): boolean {
  return metadata?.labels?.[roleLabel] === jobRoles.batch;
}

/** What somebody's program has written, in a line that moves no cursor. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, " ").trim();
}

function scheduleItem({ metadata, spec, status }: Live<V1CronJob>, jobs: readonly Live<V1Job>[]): Item {
  const own = { part: "schedule", name: nameOf(metadata) } as const;
  const last = jobs
    .filter((job) => scheduleOf(job) === nameOf(metadata))
    .sort(byAge)
    .at(-1);
  const begun = status?.lastScheduleTime;
  const detail = begun === undefined ? "has not begun anything yet" : `last run ${begun}${endOf(last)}`;
  if (spec?.suspend === true) return { ...own, health: "warning", state: "suspended", detail };
  const state = spec?.schedule ?? "";
  // One that takes long keeps the next ones from beginning, and is told by itself.
  if (endOf(last) === underWay || !isOverdue(spec, begun ?? metadata?.creationTimestamp))
    return { ...own, health: "well", state, detail };
  const mend = `kubectl describe cronjob -n ${metadata?.namespace ?? ""} ${metadata?.name ?? ""}`;
  return { ...own, health: "warning", state, detail: `${detail}, though two runs were due since`, mend };
}

/** Whether two runs should have begun since some time, of a schedule as the platform writes it. */
function isOverdue(spec: Live<V1CronJob>["spec"], since: string | undefined): boolean {
  if (spec?.timeZone !== scheduleZone || since === undefined) return false;
  try {
    const second = nextRuns(spec.schedule, 2, new Date(since))[1];
    return second !== undefined && second.getTime() + latestMilliseconds < Date.now();
  } catch {
    // Somebody has written it in another way.
    return false;
  }
}

const underWay = ", under way";

function endOf(job: Live<V1Job> | undefined): string {
  if (job === undefined) return "";
  if (isMet(job, "Complete")) return ", ended well";
  return isMet(job, "Failed") || isMet(job, "FailureTarget") ? ", failed" : underWay;
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
