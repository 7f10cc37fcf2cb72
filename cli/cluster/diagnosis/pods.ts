import type { V1Pod } from "@kubernetes/client-node";

import type { Live } from "../cluster";
import { containerTrouble, inFull, containersOf } from "./containers";
import { type Diagnosis, type Trouble, causes, patience, severityOf } from "./diagnosis";
import { isAbout } from "./images";
import { ownerOf } from "./owners";
import { isPlaced, schedulingTrouble } from "./scheduling";
import { type Scene, brief, condition, firstSeen, isLeaving, lastSeen, nameOf } from "./scene";

/** For how many seconds a pod of a former revision may fail its probe before it is taken to be stuck. */
const stuckSeconds = 60;

/** What is wrong with each pod that counts: the most telling thing of each. */
export function podFindings(scene: Scene): Diagnosis[] {
  return scene.view.pods.flatMap((pod) => {
    const owner = ownerOf(scene, pod);
    const trouble = owner && podTrouble(scene, pod);
    if (trouble === undefined) return [];
    const object = { kind: "Pod", namespace: scene.view.name, name: nameOf(pod) };
    const finding = { object, ...owner?.concerned, ...trouble };
    if (owner?.revision === "current") return [finding];
    return isStuck(scene, pod, trouble) ? [stuck(finding)] : [];
  });
}

/** What keeps a pod from being ready; undefined for one that is, that has ended, or that is going. */
export function podTrouble(scene: Scene, pod: Live<V1Pod>): Trouble | undefined {
  const { conditions, phase } = pod.status ?? {};
  // What has failed as a whole is replaced by its controller, and told with its Job.
  if (isLeaving(pod) || phase === "Succeeded" || phase === "Failed") return undefined;
  if (condition(conditions, "Ready")) return undefined;
  if (!isPlaced(pod)) return schedulingTrouble(scene, pod);
  const [most] = containersOf(pod)
    .flatMap((part) => containerTrouble(scene, part) ?? [])
    .sort((one, other) => causes.indexOf(one.cause) - causes.indexOf(other.cause));
  return most ?? volumeTrouble(scene, pod) ?? start(scene, pod);
}

/** A pod that waits for what it mounts. */
function volumeTrouble(scene: Scene, pod: Live<V1Pod>): Trouble | undefined {
  if (condition(pod.status?.conditions, "PodReadyToStartContainers")) return undefined;
  const who = `pod ${nameOf(pod)}`;
  const failures = scene.events(pod, /^(FailedMount|FailedAttachVolume)$/);
  const failed = failures.at(-1);
  if (failed === undefined) return undefined;
  const { message = "" } = failed;
  const volume = /for volume "(.+?)"/.exec(message)?.[1];
  const [, kind = "", missing] = /(secret|configmap) "(.+?)" not found/.exec(message) ?? [];
  const at = { at: lastSeen(failed) };
  if (missing !== undefined) {
    const named = `${kind === "secret" ? "Secret" : "ConfigMap"} ${missing}`;
    return {
      cause: "configuration",
      what: `${who} waits for ${named}, which does not exist`,
      mend: `What is there: kubectl -n ${scene.view.name} get secrets,configmaps`,
      severity: severityOf(scene.since(firstSeen(failures)) >= patience.other),
      ...at,
    };
  }
  // The kubelet's own view of the cluster lags behind for a moment at every start.
  if (/failed to sync \w+ cache/.test(message)) return undefined;
  const other = message.includes("Multi-Attach");
  return {
    cause: "volume",
    what: `${who} waits for volume ${volume ?? ""}: ${other ? "another node still holds it" : brief(message.replace(/^[^:]*: /, ""))}`,
    mend: `See why: kubectl -n ${scene.view.name} describe pod ${nameOf(pod)}`,
    severity: "warning",
    ...at,
  };
}

/** A start that takes its time, without a fault. */
function start(scene: Scene, pod: Live<V1Pod>): Trouble {
  const who = `pod ${nameOf(pod)}`;
  const slow = (what: string): Trouble => ({ cause: "start", what, severity: "warning" });
  for (const part of containersOf(pod)) {
    const { init, spec, status } = part;
    const [pull] = scene
      .events(pod, /^(Pulling|Pulled|Failed)$/)
      .filter(isAbout(status.name))
      .slice(-1);
    if (status.state?.waiting && pull?.reason === "Pulling")
      return slow(`image ${spec.image ?? ""} is being pulled for ${scene.since(lastSeen(pull))} s (${who})`);
    const { running } = status.state ?? {};
    if (init && running && !status.ready && spec.restartPolicy !== "Always")
      return {
        ...slow(`${inFull(part)} runs for ${scene.since(running.startedAt)} s`),
        container: { pod: nameOf(pod), name: spec.name, previous: false },
      };
  }
  const sandbox = scene.events(pod, /^FailedCreatePodSandBox$/).at(-1);
  if (sandbox !== undefined && !condition(pod.status?.conditions, "PodReadyToStartContainers"))
    return {
      cause: "configuration",
      what: `${who} gets no network: ${brief((sandbox.message ?? "").split(": ").slice(-2).join(": "))}`,
      severity: "warning",
      at: lastSeen(sandbox),
    };
  return slow(`${who} is being started for ${scene.since(pod.status?.startTime)} s`);
}

/** Whether a pod of a former revision will not get ready, so that its successor never comes. */
function isStuck(scene: Scene, pod: Live<V1Pod>, { cause, severity }: Trouble): boolean {
  const unready = pod.status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime;
  return severity === "error" || (cause === "probe" && scene.since(unready) >= stuckSeconds);
}

/** https://github.com/kubernetes/kubernetes/issues/67250 */
function stuck(finding: Diagnosis): Diagnosis {
  const { name, namespace } = finding.object;
  return {
    ...finding,
    cause: "stuck",
    what: `pod ${name} is of the former version and blocks the new one: ${finding.what}`,
    mend: `Make room for the new one: kubectl -n ${namespace} delete pod ${name}`,
    severity: "warning",
    stuckPod: true,
  };
}
