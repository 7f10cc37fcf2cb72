import type { V1Pod, V1PodCondition } from "@kubernetes/client-node";

import type { Live } from "../cluster";
import { type Trouble, patience, severityOf } from "./diagnosis";
import { amount, inWords } from "./quantity";
import { type Scene, brief, condition, isLeaving, lastSeen, nameOf } from "./scene";

/** Taints that go as soon as a node is well. */
const passing =
  /node\.kubernetes\.io\/(not-ready|unreachable|network-unavailable)|node\.cloudprovider|uninitialized/;

/** Why a pod has no place on a node yet. */
export function schedulingTrouble(scene: Scene, pod: Live<V1Pod>): Trouble {
  const refusal = pod.status?.conditions?.find(
    ({ type, status }) => type === "PodScheduled" && status === "False",
  );
  const who = `pod ${nameOf(pod)}`;
  if (refusal?.reason === "SchedulingGated")
    return { cause: "start", what: `${who} is held back by its scheduling gates`, severity: "warning" };
  if (refusal === undefined)
    return { cause: "start", what: `${who} waits for a place on a node`, severity: "warning" };
  const coming = scene.events(pod, /^(TriggeredScaleUp|Nominated)$/).at(-1);
  if (coming !== undefined)
    return { cause: "room", what: `${who} waits for a new node, which is on its way`, severity: "warning" };
  return noPlace(scene, pod, refusal);
}

function noPlace(
  scene: Scene,
  pod: Live<V1Pod>,
  { message = "", lastTransitionTime }: Live<V1PodCondition>,
): Trouble {
  const who = `pod ${nameOf(pod)}`;
  const lacking = [...message.matchAll(/Insufficient ([^\s,.]+(?:\.[^\s,.]+)*)/g)].map(
    ([, resource = ""]) => resource,
  );
  const at = scene.events(pod, /^FailedScheduling$/).at(-1);
  const leaving = scene.view.pods.some(isLeaving) || pod.status?.nominatedNodeName !== undefined;
  // Trainings that run side by side make room for one another: a Job ends by itself, at its deadline at the latest.
  const ending =
    scene.view.pods.some(runsToItsEnd) && lacking.every((resource) => fitsSomewhere(scene, pod, resource));
  const common = {
    cause: "room" as const,
    severity: severityOf(
      scene.since(lastTransitionTime) >= patience.room &&
        !passing.test(message) &&
        !(lacking.length > 0 && (leaving || ending)),
    ),
    ...(at && { at: lastSeen(at) }),
  };
  const missing = /persistentvolumeclaim "(.+?)" not found/.exec(message)?.[1];
  if (missing !== undefined)
    return {
      ...common,
      cause: "volume",
      what: `${who} waits for PersistentVolumeClaim ${missing}, which does not exist`,
      mend: `What is there: kubectl -n ${scene.view.name} get persistentvolumeclaims`,
    };
  if (message.includes("unbound immediate PersistentVolumeClaims"))
    return {
      ...common,
      cause: "volume",
      what: `${who} waits for a volume: one of its PersistentVolumeClaims is not bound`,
      mend: `See why: kubectl -n ${scene.view.name} describe persistentvolumeclaims`,
    };
  if (lacking.length > 0)
    return {
      ...common,
      what: `${who} finds no room: ${lacking.map((resource) => shortage(scene, pod, resource)).join("; ")}`,
      mend: "Give the cluster more, or ask for less in the stack configuration.",
    };
  const [reason, mend] = otherwise(message, pod);
  return { ...common, what: `${who} finds no node: ${reason}`, ...(mend && { mend }) };
}

/** How much of a resource a pod asks for, and what there is. */
function shortage({ view }: Scene, pod: Live<V1Pod>, resource: string): string {
  const asked = inWords(resource, requested(pod, resource));
  const most = mostOn(view, resource);
  if (view.nodes.length === 0) return `it asks for ${asked}, more than any node has free`;
  if (most === 0) return `it asks for ${asked}, and no node has any`;
  const node = view.nodes.length === 1 ? "the node" : "the largest node";
  const enough = requested(pod, resource) <= most;
  return `it asks for ${asked}, and ${node} has ${inWords(resource, most)}${enough ? ", too much of it taken" : ""}`;
}

/** Whether some node would have enough of a resource, were it empty. */
function fitsSomewhere({ view }: Scene, pod: Live<V1Pod>, resource: string): boolean {
  return view.nodes.length === 0 || requested(pod, resource) <= mostOn(view, resource);
}

/** What the largest node has of a resource. */
function mostOn({ nodes }: Scene["view"], resource: string): number {
  return Math.max(0, ...nodes.map(({ status }) => amount(status?.allocatable?.[resource])));
}

/** Whether a pod holds its place no longer than its Job takes. */
function runsToItsEnd({ metadata, spec, status }: Live<V1Pod>): boolean {
  const ofJob = metadata?.ownerReferences?.some(({ kind }) => kind === "Job") === true;
  return ofJob && spec?.nodeName !== undefined && ["Pending", "Running"].includes(status?.phase ?? "");
}

/** What a pod asks for: its containers together, or the greediest of those that run before them. */
function requested(pod: Live<V1Pod>, resource: string): number {
  const of = (containers: NonNullable<Live<V1Pod>["spec"]>["containers"]) =>
    containers.map(({ resources }) => amount(resources?.requests?.[resource]));
  const together = of(pod.spec?.containers ?? []).reduce((sum, one) => sum + one, 0);
  return Math.max(together, ...of(pod.spec?.initContainers ?? []));
}

function otherwise(message: string, pod: Live<V1Pod>): [reason: string, mend?: string] {
  if (message.includes("no nodes available")) return ["the cluster has none"];
  if (message.includes("disk-pressure"))
    return ["the node's disk is full", "Free space on the node's disk: docker system prune"];
  const taint = /untolerated taint(?:\(s\))?\s*\{([^}]*)\}/.exec(message)?.[1];
  if (passing.test(taint ?? "")) return ["the node is not ready"];
  if (message.includes("were unschedulable"))
    return ["it is cordoned off", "Let it take pods again: kubectl uncordon NODE"];
  if (taint !== undefined)
    return [
      `a taint keeps it away (${taint.trim().replace(/:\s*$/, "")})`,
      "Remove the taint, or let the pod tolerate it.",
    ];
  if (message.includes("affinity/selector")) {
    const labels = Object.entries(pod.spec?.nodeSelector ?? {}).map(([key, value]) => `${key}=${value}`);
    return [
      `none has the labels that it selects by${labels.length > 0 ? ` (${labels.join(", ")})` : ""}`,
      "Label a node so (kubectl label node), or change what is selected.",
    ];
  }
  if (message.includes("volume node affinity"))
    return [
      "its volume lies on a node, or in a zone, where it cannot run",
      "Give that node room, or make the volume anew.",
    ];
  if (message.includes("Too many pods")) return ["each runs as many pods as it may", "Add a node."];
  return [brief(message.replace(/^[^:]*available: /, "").replace(/\.? (preemption|no new claims).*/, ""))];
}

/** Whether a pod has been given a node. */
export function isPlaced(pod: Live<V1Pod>): boolean {
  return pod.spec?.nodeName !== undefined || condition(pod.status?.conditions, "PodScheduled") !== undefined;
}
