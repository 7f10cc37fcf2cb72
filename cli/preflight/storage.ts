import type { V1PersistentVolumeClaim, V1StorageClass } from "@kubernetes/client-node";

import { chartFootprints } from "../../components/capabilities";
import { at, object, text } from "../../policy/rules/values";
import type { Live } from "../cluster/cluster";
import type { ClusterKind } from "../cluster/kubeconfig";
import type { Recording } from "../plan/recording";
import type { Check } from "../checks/check";
import type { Inspection } from "./inspection";
import { plannedReleases } from "./planned";
import { error, type Finding } from "../../finding";
import { listed } from "../../config/words";

// What a class can still hold, nobody says.
export const storage: Check<Inspection> = {
  subject: "the cluster's storage classes",
  asks: "whether there is a storage class for every volume",
  async find({ plan, target, cluster }) {
    const volumes = volumesOf(plan.recording);
    if (volumes.length === 0) return [];
    const [classes, ...claims] = await Promise.all([
      cluster.list<V1StorageClass>("/apis/storage.k8s.io/v1/storageclasses"),
      ...volumes.map(({ namespace }) =>
        cluster.list<V1PersistentVolumeClaim>(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`),
      ),
    ]);
    const bound = claims.flat().filter(({ status }) => status?.phase === "Bound");
    const kept = new Set(bound.map(({ metadata }) => metadata?.namespace));
    // A volume that is there needs no class any more; each of these charts has a namespace, and a volume, of its own.
    const missing = volumes.filter(({ namespace }) => !kept.has(namespace));
    return storageProblems(missing, classes, target.context.kind, target.stack);
  },
};

/** A volume that a chart asks for. */
export interface PlannedVolume {
  readonly release: string;
  readonly namespace: string;
  /** Undefined for the cluster's default. */
  readonly storageClass: string | undefined;
}

/** The volumes that the charts ask for. */
export function volumesOf(recording: Recording): PlannedVolume[] {
  return plannedReleases(recording).flatMap(({ name, namespace, chart, values }) => {
    const volume = chartFootprints[chart]?.volume;
    const persistence = volume === undefined ? {} : object(at(values, ...volume));
    const none =
      Object.keys(persistence).length === 0 ||
      persistence["enabled"] === false ||
      text(persistence["existingClaim"]) !== undefined;
    return none ? [] : [{ release: name, namespace, storageClass: text(persistence["storageClass"]) }];
  });
}

const defaultMarks = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];

/** @param volumes those that are not there yet. */
export function storageProblems(
  volumes: readonly PlannedVolume[],
  classes: readonly Live<V1StorageClass>[],
  kind: ClusterKind,
  stack: string,
): Finding[] {
  const names = classes.map(({ metadata }) => metadata?.name ?? "");
  const known = names.length === 0 ? "there are none at all" : `there are ${listed(names)}`;
  const setting = `database.storage.storageClass and objectStore.storage.storageClass in Pulumi.${stack}.yaml`;
  const hasDefault = classes.some(({ metadata }) =>
    defaultMarks.some((mark) => at(metadata?.annotations, mark) === "true"),
  );
  const unnamed = volumes.filter(({ storageClass }) => storageClass === undefined);
  const problems: Finding[] = [];
  if (unnamed.length > 0 && !hasDefault)
    problems.push(
      error(
        `no storage class is the cluster's default, and the volumes of ${listed(unnamed.map((one) => one.release))} ` +
          `name none; ${known}`,
        kind === "minikube"
          ? "Switch minikube's on: minikube addons enable storage-provisioner, and default-storageclass"
          : `Name one: ${setting}; or mark one as the default`,
      ),
    );
  for (const { release, storageClass } of volumes)
    if (storageClass !== undefined && !names.includes(storageClass))
      problems.push(
        error(
          `there is no storage class ${storageClass}, which the volume of ${release} names; ${known}`,
          `Name another: ${setting}`,
        ),
      );
  return problems;
}
