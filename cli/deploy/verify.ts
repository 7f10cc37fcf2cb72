import { setTimeout as sleep } from "node:timers/promises";

import type { V1Job } from "@kubernetes/client-node";

import type { Cluster, Live } from "../cluster/cluster";
import type { Cause, Diagnosis } from "../cluster/diagnosis/diagnosis";
import { condition } from "../cluster/diagnosis/scene";
import { ClusterWatch } from "../cluster/diagnosis/watch";
import { HelmReleases, workloadsOf } from "../cluster/releases";
import { rolloutOf } from "../cluster/rollout";
import { backend } from "../serving/backend";
import { versionInWords } from "../serving/version";
import { UserError } from "../errors";
import type { Step } from "../progress";
import { concerns } from "./busy";
import type { Declared } from "./declared";
import { explanation, isNew, replaceStuckPods } from "./watch";

const pauseMilliseconds = 1_500;
/** As long as the engine waits for a release. */
const patienceMilliseconds = 300_000;

/** Something that a stack declares and that is not so in the cluster. */
interface Unmet {
  readonly declared: Declared;
  /** What is wrong with it, in words: "has 0/1 ready". */
  readonly what: string;
  /** No waiting mends it. */
  readonly final: boolean;
}

type Trouble = Omit<Unmet, "declared">;

/** Faults that Kubernetes tries again only after a pause of up to five minutes. */
const pausing: readonly Cause[] = ["crash", "image", "configuration"];

/**
 * Checks that all that a stack declares is so in its cluster: releases deployed and their workloads ready, Jobs ended
 * well, each declared version of a model ready. The engine compares with its own books, in which a failure may be lost:
 * it then calls unchanged what never came up.
 *
 * What is on its way is waited for. What has failed before is started again at once, so that it comes up when its cause
 * is gone.
 *
 * @throws UserError something is not so: what, why, and what to do.
 */
export async function verify(
  cluster: Cluster,
  declared: readonly Declared[],
  step: Step,
  signal: AbortSignal,
): Promise<void> {
  const watch = new ClusterWatch(cluster);
  const began = cluster.now();
  const deadline = Date.now() + patienceMilliseconds;
  let restarted: ReadonlySet<string> | undefined;
  for (;;) {
    signal.throwIfAborted();
    const open = await unmet(cluster, declared);
    const [first] = open;
    if (first === undefined) break;
    const findings = await watch.look([...new Set(open.map((one) => one.declared.namespace))]);
    const about = (finding: Diagnosis) =>
      open.find((one) => concerns(finding, { ...one.declared, doing: "" }));
    const why = findings.find((finding) => about(finding) === first);
    step.detail(`${inWords(first.declared)} ${first.what}${why === undefined ? "" : `: ${why.what}`}`);
    const own = findings.filter((finding) => about(finding) !== undefined);
    restarted ??= await restart(cluster, own);
    await replaceStuckPods(cluster, own);
    for (const finding of findings) {
      const one = about(finding);
      if (one === undefined || restarted.has(finding.object.name)) continue;
      if (one.final || (finding.severity === "error" && isNew(finding, began))) throw failure(one, finding);
    }
    const final = open.find((one) => one.final);
    if (final !== undefined) throw failure(final);
    if (Date.now() > deadline) throw failure(first, why);
    await sleep(pauseMilliseconds, undefined, { signal }).catch(() => undefined);
  }
  step.detail(summary(declared));
}

/** All that is declared and not so. @throws Refused */
async function unmet(cluster: Cluster, declared: readonly Declared[]): Promise<Unmet[]> {
  const releases = new HelmReleases(cluster);
  const models = declared.some(({ kind }) => kind === backend.kind) ? await backend.models(cluster) : [];
  const looks = declared.map(async (one): Promise<Trouble[]> => {
    const { kind, namespace, name } = one;
    if (kind === "Job")
      return jobTrouble(await cluster.get<V1Job>(`/apis/batch/v1/namespaces/${namespace}/jobs/${name}`));
    if (kind === "Release") {
      const release = (await releases.list(namespace)).find((each) => each.name === name);
      if (release === undefined) return [{ what: "is not in the cluster", final: true }];
      if (release.status === "failed")
        return [{ what: `has failed (revision ${release.revision}): ${release.description}`, final: true }];
      if (release.status !== "deployed") return [{ what: `is ${release.status}`, final: true }];
      return workloadTrouble(cluster, one);
    }
    const model = models.find((each) => each.resource === name && each.namespace === namespace);
    if (model === undefined) return [{ what: "is not in the cluster", final: true }];
    return one.predictors.flatMap((predictor): Trouble[] => {
      const served = model.predictors.find((each) => each.version === predictor.version);
      if (served === undefined)
        return [{ what: `does not have the declared ${versionInWords(undefined, predictor)}`, final: true }];
      const { ready, wanted, former } = served;
      if (ready < wanted)
        return [
          {
            what: `has ${ready} of ${wanted} pods of ${versionInWords(undefined, served)} ready`,
            final: false,
          },
        ];
      // They answer too, and not as the new version.
      return former === 0 ? [] : [{ what: `still has ${former} of the version before`, final: false }];
    });
  });
  const found = await Promise.all(looks);
  return found.flatMap((each, index) => {
    const one = declared[index];
    return one === undefined ? [] : each.map((trouble) => ({ declared: one, ...trouble }));
  });
}

/** One that has ended well and was removed since is not missed: its result is there. */
function jobTrouble(job: Live<V1Job> | undefined): Trouble[] {
  if (job === undefined || condition(job.status?.conditions, "Complete", "SuccessCriteriaMet")) return [];
  const failed = condition(job.status?.conditions, "Failed", "FailureTarget");
  return [
    failed === undefined ? { what: "has not ended yet", final: false } : { what: "has failed", final: true },
  ];
}

async function workloadTrouble(cluster: Cluster, release: Declared): Promise<Trouble[]> {
  const own = await workloadsOf(cluster, release);
  if (own.length === 0) return [{ what: "is deployed, and what it has installed is gone", final: true }];
  return own.flatMap((workload): Trouble[] => {
    const { complete, off, state } = rolloutOf(workload);
    const which = workload.metadata?.name ?? "";
    if (off) return [{ what: `is scaled to 0 pods (${which})`, final: true }];
    return complete ? [] : [{ what: `has ${state} (${which})`, final: false }];
  });
}

/**
 * Deletes pods of Deployments that wait to be tried again; their successors try at once. A Deployment's pod holds
 * nothing that is missed.
 *
 * @returns the names of the pods.
 */
async function restart(cluster: Cluster, findings: readonly Diagnosis[]): Promise<ReadonlySet<string>> {
  const pods = new Map<string, string>();
  for (const { cause, object, job, container, severity } of findings) {
    const name = object.kind === "Pod" ? object.name : container?.pod;
    // A program that was refused pauses by itself too, and what it has logged may be mended.
    const pauses =
      pausing.includes(cause) || (severity === "error" && (cause === "probe" || cause === "start"));
    if (pauses && job === undefined && name !== undefined) pods.set(name, object.namespace);
  }
  const deleted = [...pods].map(async ([name, namespace]) => {
    const address = `/api/v1/namespaces/${namespace}/pods/${name}`;
    const pod = await cluster.get<{ metadata: { ownerReferences?: { kind: string }[] } }>(address);
    const replaced = pod?.metadata.ownerReferences?.some(({ kind }) => kind === "ReplicaSet") ?? false;
    if (replaced) await cluster.remove(address);
    return replaced ? [name] : [];
  });
  return new Set((await Promise.all(deleted)).flat());
}

function failure({ declared, what }: Unmet, finding?: Diagnosis): UserError {
  const begin = `${inWords(declared)} ${what}`;
  return new UserError(
    finding === undefined ? `${begin}.\n  See what is wrong: npm run doctor` : explanation(finding, begin),
  );
}

function inWords({ kind, namespace, name }: Declared): string {
  const what = { Release: "release", Job: "Job", [backend.kind]: "model" }[kind];
  return `${what} ${name} in ${namespace}`;
}

function summary(declared: readonly Declared[]): string {
  const count = (kind: Declared["kind"]) => declared.filter((one) => one.kind === kind).length;
  return `${count("Release")} releases deployed, ${count("Job")} Jobs ended, ${count(backend.kind)} models ready`;
}
