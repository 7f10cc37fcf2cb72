import { type Diagnosis, patience, severityOf } from "./diagnosis";
import { type Scene, brief, condition } from "./scene";

/** Why a namespace that is being deleted is still there; undefined if it is not being deleted. */
export function endingNamespace(scene: Scene): Diagnosis | undefined {
  const { name, namespace, pods } = scene.view;
  const { deletionTimestamp } = namespace?.metadata ?? {};
  if (deletionTimestamp === undefined) return undefined;
  const { conditions } = namespace?.status ?? {};
  const finalizers = condition(conditions, "NamespaceFinalizersRemaining");
  const failure = condition(
    conditions,
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
  );
  const held = finalizers ?? failure;
  const what = (finalizers?.message ?? "")
    .replace(/^.*remaining: /, "")
    .replace(/ in \d+ resource instances?/g, "");
  const content = condition(conditions, "NamespaceContentRemaining")?.message?.replace(/^.*remaining: /, "");
  const seconds = scene.since(deletionTimestamp);
  const why =
    finalizers !== undefined
      ? `: what holds it are finalizers (${brief(what)}) of ${inWords(content ?? "what is in it")}`
      : failure !== undefined
        ? `: ${brief(failure.message ?? "")}`
        : pods.length > 0
          ? `: pods are still ending (${pods.length})`
          : "";
  return {
    object: { kind: "Namespace", namespace: name, name },
    cause: "namespace",
    what: `namespace ${name} is being deleted for ${seconds} s${why}`,
    ...(held && {
      mend:
        finalizers === undefined
          ? "Bring back, or remove, the API that does not answer: kubectl get apiservices"
          : "Bring back the controller that the finalizers belong to, or remove them from the objects.",
    }),
    // Pods take their time to end, and hold what they use until then.
    severity: severityOf(
      held !== undefined && pods.length === 0 && scene.since(held.lastTransitionTime) >= patience.other,
    ),
    ...(held?.lastTransitionTime && { at: held.lastTransitionTime }),
  };
}

/** `configmaps. has 1 resource instances` → `1 configmaps`. */
function inWords(content: string): string {
  return content
    .split(", ")
    .map((part) => part.replace(/^(\S+?)\.? has (\d+) resource instances?$/, "$2 $1"))
    .join(", ");
}
