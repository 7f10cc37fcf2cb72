import { type Diagnosis, type Trouble, patience, severityOf } from "./diagnosis";
import { refusedBy } from "./refused";
import { concernedBy, deploymentOf, isCurrent } from "./owners";
import { type Named, type Scene, brief, condition, firstSeen, isLeaving, lastSeen, nameOf } from "./scene";

/** Controllers that are refused the pods that they are to make. */
export function controllerFindings(scene: Scene): Diagnosis[] {
  const { daemonSets, jobs, replicaSets, statefulSets } = scene.view;
  const of = (kind: string, controllers: readonly Named[]) =>
    controllers.flatMap((one) => refusedPods(scene, kind, one, one) ?? []);
  return [
    ...replicaSets
      .filter(({ status }) => condition(status?.conditions, "ReplicaFailure")?.reason === "FailedCreate")
      .filter((set) => isCurrent(scene, set))
      .flatMap((set) => {
        const deployment = deploymentOf(scene, set);
        const message = condition(set.status?.conditions, "ReplicaFailure")?.message;
        return (
          refusedPods(scene, deployment ? "Deployment" : "ReplicaSet", deployment ?? set, set, message) ?? []
        );
      }),
    ...of(
      "StatefulSet",
      statefulSets.filter(({ spec, status }) => (status?.replicas ?? 0) < (spec?.replicas ?? 1)),
    ),
    ...of(
      "DaemonSet",
      daemonSets.filter(
        ({ status }) => (status?.currentNumberScheduled ?? 0) < (status?.desiredNumberScheduled ?? 0),
      ),
    ),
    ...of(
      "Job",
      jobs.filter(({ status }) => status?.startTime && !status.active && !status.failed && !status.succeeded),
    ),
  ];
}

/**
 * What refuses a controller its pods.
 *
 * @param object who it is told of, for whom
 * @param controller makes the pods.
 * @param condition says why, where the controller has a condition for it.
 */
function refusedPods(
  scene: Scene,
  kind: string,
  object: Named,
  controller: Named,
  condition?: string,
): Diagnosis | undefined {
  const made = scene.events(controller, /^SuccessfulCreate$/).at(-1);
  const failures = scene
    .events(controller, /^FailedCreate$/)
    .filter((event) => made === undefined || lastSeen(event) > lastSeen(made));
  const last = failures.at(-1);
  const message = condition ?? last?.message;
  if (message === undefined || isLeaving(object)) return undefined;
  const name = nameOf(object);
  // An event that happens again is counted on from its first time, which may be before things went well.
  const [began] = [
    firstSeen(failures) ?? controller.metadata?.creationTimestamp ?? "",
    made ? lastSeen(made) : "",
  ]
    .sort()
    .reverse();
  return {
    object: { kind, namespace: scene.view.name, name },
    ...concernedBy(object),
    ...(kind === "Job" && { job: name }),
    cause: "forbidden",
    ...refusal(`${kind} ${name}`, message),
    severity: severityOf(scene.since(began) >= patience.other && !mayPass(scene, message)),
    ...(last && { at: lastSeen(last) }),
  };
}

/** A webhook that does not answer may be about to start, and a pod that ends gives its quota back. */
function mayPass({ view }: Scene, message: string): boolean {
  if (message.includes("exceeded quota")) return view.pods.some(isLeaving);
  return message.includes("failed calling webhook") && !/service "[^"]*" not found/.test(message);
}

function refusal(who: string, message: string): Pick<Trouble, "mend" | "what"> {
  const { may, why, mend } = refusedBy(message) ?? {
    may: false,
    why: brief(message.replace(/^.*?(is forbidden|failed error|Error creating): /, "")),
  };
  const what = `${who} ${may ? "may not make" : "cannot make"} its pods: ${why}`;
  return { what, ...(mend !== undefined && { mend }) };
}
