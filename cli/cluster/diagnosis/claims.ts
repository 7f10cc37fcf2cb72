import type { V1PersistentVolumeClaim } from "@kubernetes/client-node";

import type { Live } from "../cluster";
import { type Concerned, type Diagnosis, type Trouble, patience, severityOf } from "./diagnosis";
import { concernedBy, ownerOf } from "./owners";
import { type Scene, brief, firstSeen, isLeaving, lastSeen, nameOf } from "./scene";

/** Why volumes that are asked for are not there. */
export function claimFindings(scene: Scene): Diagnosis[] {
  return scene.view.claims.flatMap((claim) => {
    const trouble = isLeaving(claim) ? undefined : claimTrouble(scene, claim);
    if (trouble === undefined) return [];
    const object = { kind: "PersistentVolumeClaim", namespace: scene.view.name, name: nameOf(claim) };
    return [{ object, ...userOf(scene, claim), ...trouble }];
  });
}

/** The names of the claims that a pod mounts. */
export function claimsOf(pod: Scene["view"]["pods"][number]): string[] {
  return (pod.spec?.volumes ?? []).flatMap(
    ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [],
  );
}

/** Whom a claim concerns. What a StatefulSet makes has no mark of its release, so its pods are asked. */
function userOf(scene: Scene, claim: Live<V1PersistentVolumeClaim>): Concerned {
  const user = scene.view.pods.find((pod) => claimsOf(pod).includes(nameOf(claim)));
  return { ...concernedBy(claim), ...(user && ownerOf(scene, user)?.concerned) };
}

function claimTrouble(scene: Scene, claim: Live<V1PersistentVolumeClaim>): Trouble | undefined {
  const who = `PersistentVolumeClaim ${nameOf(claim)}`;
  const { phase } = claim.status ?? {};
  if (phase === "Lost")
    return {
      cause: "volume",
      what: `${who} has lost its volume`,
      mend: "Bring the volume back, or delete the claim, and restore the data.",
      severity: "error",
    };
  if (phase !== "Pending") return undefined;
  const age = scene.since(claim.metadata?.creationTimestamp);
  const wrong = classTrouble(scene, claim);
  if (wrong !== undefined)
    return { cause: "volume", ...wrong, severity: severityOf(age >= patience.definite) };
  const failures = scene.events(claim, /^ProvisioningFailed$/);
  const failed = failures.at(-1);
  if (failed !== undefined) {
    const message = (failed.message ?? "").replace(
      /^failed to provision volume with StorageClass "[^"]*": /,
      "",
    );
    return {
      cause: "volume",
      what: `${who} gets no volume: ${brief(message)}`,
      mend: "Check the storage class, and that its provisioner is well.",
      severity: severityOf(scene.since(firstSeen(failures)) >= patience.other),
      at: lastSeen(failed),
    };
  }
  const [waiting] = scene.events(claim, /^(ExternalProvisioning|Provisioning)$/).slice(-1);
  if (waiting === undefined) return undefined;
  const provisioner = /provisioner '(.+?)'/.exec(waiting.message ?? "")?.[1];
  return {
    cause: "volume",
    what: `${who} waits for its volume for ${age} s${provisioner === undefined ? "" : `; ${provisioner} is to make it`}`,
    mend: "If it takes long: check that the storage class's provisioner runs.",
    severity: "warning",
  };
}

/** What is wrong with the class that a claim asks for. */
function classTrouble(
  { view: { storageClasses } }: Scene,
  claim: Live<V1PersistentVolumeClaim>,
): Pick<Trouble, "mend" | "what"> | undefined {
  const who = `PersistentVolumeClaim ${nameOf(claim)}`;
  const { storageClassName: name, volumeName } = claim.spec ?? {};
  const known = storageClasses?.map(nameOf).sort() ?? [];
  if (storageClasses === undefined || volumeName) return undefined;
  if (name === "")
    return {
      what: `${who} asks for a volume without a storage class, and none fits`,
      mend: "Set a storage class in the stack configuration, or make a PersistentVolume that fits.",
    };
  if (name !== undefined && !known.includes(name))
    return {
      what: `${who} asks for storage class ${name}, which does not exist`,
      mend: `Use one that does (${known.join(", ") || "the cluster has none"}) in the stack configuration.`,
    };
  const isDefault = (annotations: Readonly<Record<string, string>> = {}) =>
    annotations["storageclass.kubernetes.io/is-default-class"] === "true";
  if (name === undefined && !storageClasses.some(({ metadata }) => isDefault(metadata?.annotations)))
    return {
      what: `${who} names no storage class, and the cluster has no default one`,
      mend: `Set one in the stack configuration (${known.join(", ") || "the cluster has none"}), or make one the default.`,
    };
  return undefined;
}
