import type { V1Container, V1ContainerState, V1ContainerStatus, V1Pod } from "@kubernetes/client-node";

import type { Live } from "../cluster";
import { type LoggedContainer, type Trouble, patience, severityOf } from "./diagnosis";
import { imageReasons, imageTrouble, isAbout } from "./images";
import { probeTrouble } from "./probes";
import { amount, inWords } from "./quantity";
import { type Scene, brief, count, lastSeen, nameOf } from "./scene";

type Ended = NonNullable<Live<V1ContainerState>["terminated"]>;

/** A container of a pod, as it is to be and as it is. */
export interface PodContainer {
  readonly pod: Live<V1Pod>;
  readonly spec: Live<V1Container>;
  readonly status: Live<V1ContainerStatus>;
  readonly init: boolean;
}

/** A container that has run for so many seconds is worth another start; Kubernetes forgets former failures then too. */
const longRun = 600;
/** That many ends of a container are no accident. */
const failuresInARow = 3;

/** The containers of a pod that have a status, in the order in which they start. */
export function containersOf(pod: Live<V1Pod>): PodContainer[] {
  const { spec, status } = pod;
  const match = (
    specs: readonly Live<V1Container>[],
    statuses: readonly Live<V1ContainerStatus>[],
    init: boolean,
  ) =>
    specs.flatMap((one): PodContainer[] => {
      const found = statuses.find(({ name }) => name === one.name);
      return found ? [{ pod, spec: one, status: found, init }] : [];
    });
  return [
    ...match(spec?.initContainers ?? [], status?.initContainerStatuses ?? [], true),
    ...match(spec?.containers ?? [], status?.containerStatuses ?? [], false),
  ];
}

/** `container mlflow of pod mlflow-7d`. */
export function inFull({ pod, spec, init }: PodContainer): string {
  return `${init ? "init container" : "container"} ${spec.name} of pod ${nameOf(pod)}`;
}

/** What keeps a container from being ready; undefined if nothing but time does. */
export function containerTrouble(scene: Scene, part: PodContainer): Trouble | undefined {
  const { init, pod, status } = part;
  const { waiting, running } = status.state ?? {};
  if (status.ready) return undefined;
  if (imageReasons.test(waiting?.reason ?? "")) return imageTrouble(scene, pod, status);
  if (/^(CreateContainerConfigError|CreateContainerError)$/.test(waiting?.reason ?? ""))
    return configurationTrouble(scene, part);
  const ended = endOf(scene, part);
  if (ended !== undefined) return crashTrouble(scene, part, ended);
  return running && !init ? probeTrouble(scene, part) : undefined;
}

/** How a container has ended that does not do better now. */
function endOf(scene: Scene, { init, pod, status }: PodContainer): Ended | undefined {
  const { terminated, running } = status.state ?? {};
  // The pod fails with it then, which is told with the Job that makes another.
  if (pod.spec?.restartPolicy === "Never") return undefined;
  // An init container is to end.
  if (terminated) return init && terminated.exitCode === 0 ? undefined : terminated;
  const last = status.lastState?.terminated;
  // What was started again is taken to fail again until it has lived longer than before.
  return running && scene.since(running.startedAt) > secondsOf(last) + 5 ? undefined : last;
}

/** How long a container has run; 0 if it could not be started at all. */
function secondsOf(ended: Ended | undefined): number {
  const { startedAt, finishedAt } = ended ?? {};
  // The start of what could not be started is that of the epoch.
  if (!startedAt || !finishedAt || startedAt.startsWith("1970")) return 0;
  return Math.max(0, (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000);
}

function crashTrouble(scene: Scene, part: PodContainer, ended: Ended): Trouble {
  const { pod, status } = part;
  const failures = status.restartCount + (status.state?.running ? 0 : 1);
  const notStarted = ended.reason === "StartError" || ended.reason === "ContainerCannotRun";
  const container: LoggedContainer = {
    pod: nameOf(pod),
    name: status.name,
    previous: status.state?.terminated === undefined,
  };
  return {
    cause: "crash",
    ...explanation(scene, part, ended, status.restartCount),
    ...(notStarted ? {} : { container }),
    severity: severityOf(
      notStarted ? failures > 1 : failures >= failuresInARow && secondsOf(ended) < longRun,
    ),
    ...(ended.finishedAt && { at: ended.finishedAt }),
  };
}

function explanation(
  scene: Scene,
  part: PodContainer,
  ended: Ended,
  restarts: number,
): Pick<Trouble, "mend" | "what"> {
  const { pod, spec, status } = part;
  const who = inFull(part);
  const { exitCode } = ended;
  const often = restarts === 0 ? "" : `, ${count(restarts, "restart")}`;
  const log = `kubectl -n ${scene.view.name} logs ${nameOf(pod)} -c ${spec.name}${status.state?.terminated ? "" : " --previous"}`;
  const problem = /unable to start container process: (.*?)(: unknown)?$/.exec(ended.message ?? "")?.[1];
  if ((ended.message ?? "").includes("exec format error")) return wrongArchitecture(who);
  if (ended.reason === "StartError" || ended.reason === "ContainerCannotRun")
    return {
      what: `${who} cannot be started: ${brief(problem ?? ended.message ?? "")}`,
      mend: "Correct its command, or the image.",
    };
  if (ended.reason === "OOMKilled") {
    const limit = spec.resources?.limits?.["memory"];
    return {
      what: `${who} runs out of memory (${limit ? `limit ${inWords("memory", amount(limit)).replace(" of memory", "")}` : "no limit of its own"}${often})`,
      mend: "Give it a higher memory limit in the stack configuration.",
    };
  }
  const killed = scene
    .events(pod, /^Killing$/, /failed (liveness|startup) probe/)
    .findLast(isAbout(spec.name));
  if (killed !== undefined && exitCode >= 128) {
    const kind = /failed (liveness|startup)/.exec(killed.message ?? "")?.[1] ?? "liveness";
    return {
      what: `${who} is killed as it does not pass its ${kind} probe (${count(restarts, "restart")})`,
      mend: `Its log may say why it does not answer: ${log}`,
    };
  }
  const address = spec.args?.[0];
  if (spec.name.endsWith("-model-initializer") && address !== undefined)
    return {
      what: `the model at ${address} cannot be fetched: ${who} fails (${codeInWords(exitCode)}${often})`,
      mend: "Check that the address exists, and that the model's Secret opens its store.",
    };
  if (exitCode === 0)
    return {
      what: `${who} ends by itself (${codeInWords(exitCode)}${often}), and is to go on`,
      mend: `Its log may say why: ${log}`,
    };
  return {
    what: `${who} ${part.init ? "fails" : "crashes"} (${codeInWords(exitCode)}${often})`,
    mend:
      exitCode === 132 ? "The image needs a newer processor than the node's." : `Its log says why: ${log}`,
  };
}

/** How a container of an image for another architecture fails. */
export function wrongArchitecture(who: string): Pick<Trouble, "mend" | "what"> {
  return {
    what: `${who} cannot be started: its program is for another architecture than the node's (exec format error)`,
    mend: "Choose or build the image for the node's architecture (kubectl get nodes -L kubernetes.io/arch).",
  };
}

/** An exit code for people, with the signal that it stands for. */
export function codeInWords(code: number): string {
  const signal = { 132: "SIGILL", 134: "SIGABRT", 137: "SIGKILL", 139: "SIGSEGV", 143: "SIGTERM" }[code];
  const meaning = signal ?? { 126: "not executable", 127: "command not found" }[code];
  return `exit code ${code}${meaning === undefined ? "" : `, ${meaning}`}`;
}

function configurationTrouble(scene: Scene, part: PodContainer): Trouble {
  const { pod, status } = part;
  const { message = "" } = status.state?.waiting ?? {};
  const failures = scene.events(pod, /^Failed$/).filter(isAbout(status.name));
  const at = failures.at(-1);
  const missing =
    /^(secret|configmap) "(.+)" not found/.exec(message) ??
    /find key (\S+) in (Secret|ConfigMap) \S+\/(\S+)/.exec(message);
  return {
    cause: "configuration",
    what: `${inFull(part)} cannot be made: ${plainly(message)}`,
    mend: missing
      ? `What is there: kubectl -n ${scene.view.name} get secrets,configmaps`
      : "Correct the pod's specification.",
    severity: severityOf(scene.since(pod.status?.startTime) >= patience.other),
    ...(at && { at: lastSeen(at) }),
  };
}

function plainly(message: string): string {
  return brief(
    message
      .replace(/^secret "(.+)" not found/, "Secret $1 does not exist")
      .replace(/^configmap "(.+)" not found/, "ConfigMap $1 does not exist")
      .replace(/^couldn't find key (\S+) in (Secret|ConfigMap) \S+\/(\S+)/, "$2 $3 has no key $1")
      .replace(/ \(pod: ".*/, ""),
  );
}
