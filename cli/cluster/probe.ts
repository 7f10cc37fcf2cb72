import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { V1Namespace, V1Pod } from "@kubernetes/client-node";

import { containerSecurity, podSecurity, requirements, scratch } from "../../components/pods";
import { UserError, messageOf } from "../errors";
import { type ProcessIdentity, identify } from "../ownProcesses";
import type { Step } from "../progress";
import { type Cluster, type Live, Refused } from "./cluster";
import { linesOf } from "./diagnosis/logs";
import { ClusterWatch } from "./diagnosis/watch";

/** A question that a pod of the cluster answers, since what this machine reaches says nothing of what a pod reaches. */
export interface Probe {
  /** Has Python and what the script imports. */
  readonly image: string;
  /** The script, and modules beside it that it imports. It is given the name of a file with the question. */
  readonly scripts: readonly [string, ...string[]];
  /** JSON; may hold secrets. */
  readonly question: unknown;
  /** Seconds after which no answer is waited for. */
  readonly patience: number;
}

/** There is no answer; the message says why. */
export class NoAnswer extends UserError {
  override readonly name = "NoAnswer";
}

/** The label of the namespaces that probes are in. Not the platform's: these are not part of it. */
const mark = { "app.kubernetes.io/name": "mlplatform-probe" };
const namespaces = "/api/v1/namespaces";
const ownerAnnotation = "mlplatform/started-by";
/** The user of MLflow's image. */
const user = 1001;
const pauseMilliseconds = 200;
/** What takes longer than this is asked about. */
const quietMilliseconds = 3_000;
const widestLine = 300;

/** Which process has made a namespace. */
interface Owner extends ProcessIdentity {
  readonly host: string;
  /** When it has no use any more, whoever made it. */
  readonly until: string;
}

/**
 * Has a pod in a namespace of its own answer a question. The namespace goes when there is an answer, when there is none,
 * and when the command is stopped; what a killed one has left, the next question removes.
 *
 * @returns what the script has written in its last line, as JSON.
 * @throws Refused the user may not have it asked.
 * @throws NoAnswer there is none, or not in time.
 */
export async function askFromPod(
  cluster: Cluster,
  probe: Probe,
  step: Step,
  signal: AbortSignal,
): Promise<unknown> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(probe.patience * 1000)]);
  let made: string | undefined;
  let doing = "the cluster's API server does not answer";
  try {
    await removeLeftovers(cluster);
    made = await create(cluster, namespaces, namespaceFor(probe, cluster.now()));
    const files = `${namespaces}/${made}/secrets`;
    await create(cluster, files, secretFor(probe));
    const pod = await createPod(cluster, made, podFor(probe), limit);
    const tell = (text: string) => {
      doing = text;
      step.detail(text);
    };
    const address = `${namespaces}/${made}/pods/${pod}`;
    await ended(cluster, made, address, tell, limit);
    return await answerIn(cluster, address);
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) throw new NoAnswer(`no answer within ${probe.patience} s: ${doing}`);
    throw error instanceof UserError ? error : new NoAnswer(messageOf(error));
  } finally {
    // That it cannot be removed is no reason to end; the next question tries again.
    if (made !== undefined) await cluster.remove(`${namespaces}/${made}`).catch(() => false);
  }
}

/** Removes what commands of this machine that have ended have left, and what is too old to be of use to anybody. */
async function removeLeftovers(cluster: Cluster): Promise<void> {
  const selector = Object.entries(mark).map(([key, value]) => `${key}=${value}`);
  const query = `?labelSelector=${encodeURIComponent(selector.join(","))}`;
  // Whoever may not list them may perhaps make one.
  const found = await cluster.list<V1Namespace>(`${namespaces}${query}`).catch(() => []);
  for (const { metadata } of found)
    if (metadata?.deletionTimestamp === undefined && isLeft(metadata?.annotations, cluster.now()))
      await cluster.remove(`${namespaces}/${metadata?.name ?? ""}`).catch(() => false);
}

function isLeft(annotations: Live<Record<string, string>> | undefined, now: Date): boolean {
  const owner = JSON.parse(annotations?.[ownerAnnotation] ?? "{}") as Partial<Owner>;
  if (owner.host === hostname() && identify(owner.pid ?? 0)?.started !== owner.started) return true;
  return !(Date.parse(owner.until ?? "") > now.getTime());
}

/** @returns the name that the object was given. */
async function create(cluster: Cluster, address: string, object: object): Promise<string> {
  const { body } = await cluster.send(address, { body: JSON.stringify(object) });
  return (JSON.parse(body) as { metadata: { name: string } }).metadata.name;
}

/** A namespace takes no pods before its service account is there, a moment after itself. */
async function createPod(
  cluster: Cluster,
  namespace: string,
  pod: object,
  limit: AbortSignal,
): Promise<string> {
  for (;;) {
    try {
      return await create(cluster, `${namespaces}/${namespace}/pods`, pod);
    } catch (error) {
      if (!(error instanceof Refused) || !/serviceaccount .*not found/.test(error.message)) throw error;
      await sleep(pauseMilliseconds, undefined, { signal: limit });
    }
  }
}

/** Waits until a pod has ended. @param tell hears what it waits for. */
async function ended(
  cluster: Cluster,
  namespace: string,
  address: string,
  tell: (text: string) => void,
  limit: AbortSignal,
): Promise<void> {
  const watch = new ClusterWatch(cluster);
  const began = Date.now();
  for (;;) {
    const pod = await cluster.get<V1Pod>(address);
    if (pod === undefined) throw new NoAnswer("somebody has removed the pod that was asking");
    if (pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed") return;
    if (pod.status?.phase === "Running") tell("the pod is asking");
    else if (Date.now() - began > quietMilliseconds) {
      const [finding] = await watch.look([namespace]);
      if (finding !== undefined) tell(finding.what);
      if (finding?.severity === "error")
        throw new NoAnswer(`${finding.what}${finding.mend === undefined ? "" : `. ${finding.mend}`}`);
    }
    await sleep(pauseMilliseconds, undefined, { signal: limit });
  }
}

async function answerIn(cluster: Cluster, address: string): Promise<unknown> {
  const { body } = await cluster.send(`${address}/log`);
  const line = body.trimEnd().split("\n").at(-1) ?? "";
  try {
    return JSON.parse(line);
  } catch {
    throw new NoAnswer(`the pod says: ${(linesOf(body).at(-1) ?? "nothing").slice(0, widestLine)}`);
  }
}

function namespaceFor({ patience }: Probe, now: Date): object {
  const until = new Date(now.getTime() + 2 * patience * 1000).toISOString();
  const owner = { host: hostname(), ...identify(process.pid), until };
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      generateName: "mlplatform-probe-",
      labels: { ...mark, "pod-security.kubernetes.io/enforce": "restricted" },
      annotations: { [ownerAnnotation]: JSON.stringify(owner) },
    },
  };
}

const secretName = "probe";
const folder = "/probe";

function secretFor({ scripts, question }: Probe): object {
  const files = scripts.map((file) => [path.basename(file), readFileSync(file, "utf8")] as const);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: secretName, labels: mark },
    stringData: { ...Object.fromEntries(files), "question.json": JSON.stringify(question) },
  };
}

function podFor({ image, scripts, patience }: Probe): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "probe", labels: mark },
    spec: {
      restartPolicy: "Never",
      activeDeadlineSeconds: patience,
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: podSecurity(user),
      containers: [
        {
          name: "main",
          image,
          imagePullPolicy: "IfNotPresent",
          command: ["python", `${folder}/${path.basename(scripts[0])}`, `${folder}/question.json`],
          env: [
            { name: "HOME", value: "/tmp" },
            { name: "PYTHONDONTWRITEBYTECODE", value: "1" },
          ],
          resources: requirements({ cpu: "100m", memory: "128Mi", memoryLimit: "256Mi" }),
          securityContext: containerSecurity,
          volumeMounts: [...scratch.volumeMounts, { name: secretName, mountPath: folder, readOnly: true }],
        },
      ],
      volumes: [...scratch.volumes, { name: secretName, secret: { secretName } }],
    },
  };
}
