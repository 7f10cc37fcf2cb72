import type { V1PersistentVolumeClaim, V1StatefulSet, V1StorageClass } from "@kubernetes/client-node";

import { chartFootprints, namespaceNames } from "../../components/capabilities";
import { quantity } from "../../config/quantity";
import { at, object, text } from "../../policy/rules/values";
import type { Live } from "../cluster/cluster";
import { majorKey, majorOf, runningMajor } from "../cluster/postgresVersion";
import { templateOf } from "../cluster/volumes";
import type { Check } from "../checks/check";
import { type Inspection, once } from "./inspection";
import { type PlannedRelease, plannedReleases } from "./planned";
import { error, type Finding, warning } from "../../finding";

export const deployedData: Check<Inspection> = {
  subject: "the data that are there",
  asks: "whether what is asked for fits the data that are there: the size and class of volumes, the version that wrote them",
  async find({ plan, cluster, target }) {
    const releases = plannedReleases(plan.recording).filter(
      ({ chart }) => chartFootprints[chart]?.volume !== undefined,
    );
    if (releases.length === 0) return [];
    const classes = once(() => cluster.list<V1StorageClass>("/apis/storage.k8s.io/v1/storageclasses"));
    const found = releases.map(async (release) => {
      const { namespace } = release;
      const claims = await cluster.list<V1PersistentVolumeClaim>(
        `/api/v1/namespaces/${namespace}/persistentvolumeclaims`,
      );
      if (claims.length === 0) return [];
      const sets = await cluster.list<V1StatefulSet>(`/apis/apps/v1/namespaces/${namespace}/statefulsets`);
      const known = await classes();
      return [
        ...claims.flatMap((claim) => volumeProblems(release, claim, sets, known, target.stack)),
        ...versionProblems(release, claims, sets),
      ];
    });
    return (await Promise.all(found)).flat();
  },
};

/** What about a claim cannot become what the release asks for. */
export function volumeProblems(
  { name, namespace, chart, values }: Pick<PlannedRelease, "name" | "namespace" | "chart" | "values">,
  { metadata, spec }: Live<V1PersistentVolumeClaim>,
  sets: readonly Live<V1StatefulSet>[],
  classes: readonly Live<V1StorageClass>[],
  stack: string,
): Finding[] {
  const { volume = [], section } = chartFootprints[chart] ?? {};
  const persistence = object(at(values, ...volume));
  const [size, storageClass] = [text(persistence["size"]), text(persistence["storageClass"])];
  const claim = metadata?.name ?? "";
  const has = spec?.resources?.requests?.["storage"];
  const key = `${section ?? ""}.storage`;
  const problems: Finding[] = [];
  if (
    storageClass !== undefined &&
    spec?.storageClassName !== undefined &&
    storageClass !== spec.storageClassName
  )
    problems.push(
      error(
        `the volume of ${name}, ${namespace}/${claim}, is of class ${spec.storageClassName}, and ${key}.storageClass asks for ${storageClass}: a volume keeps its class`,
        `Set it back in Pulumi.${stack}.yaml; other classes need another volume, and the data copied to it`,
      ),
    );
  const [asked, there] = [quantity(size ?? ""), quantity(has ?? "")];
  if (asked === undefined || there === undefined) return problems;
  const about = `the volume of ${name}, ${namespace}/${claim}, has ${has ?? ""}, and ${key}.size asks for ${size ?? ""}`;
  const sizeOf = (one: Live<V1StatefulSet>) =>
    templateOf(one, name, claim)?.spec?.resources?.requests?.["storage"];
  const set = sets.find((one) => sizeOf(one) !== undefined);
  const template = set === undefined ? undefined : sizeOf(set);
  if (asked === there && (template === undefined || quantity(template) === asked)) return problems;
  if (asked < there)
    problems.push(
      error(`${about}: a volume cannot shrink`, `Ask for at least ${has ?? ""} in Pulumi.${stack}.yaml`),
    );
  else if (
    classes.find((one) => one.metadata?.name === spec?.storageClassName)?.allowVolumeExpansion !== true
  )
    problems.push(
      error(
        `${about}: its class, ${spec?.storageClassName ?? "none"}, does not let volumes grow`,
        `Ask for ${has ?? ""} in Pulumi.${stack}.yaml; a larger one needs another volume, and the data copied to it`,
      ),
    );
  else if (set !== undefined)
    problems.push(
      error(
        `${about}: Kubernetes does not let a StatefulSet's volumes grow by itself`,
        `Let it grow, and run this again: kubectl -n ${namespace} patch pvc ${claim} -p ` +
          `'{"spec":{"resources":{"requests":{"storage":"${size ?? ""}"}}}}' && ` +
          `kubectl -n ${namespace} delete statefulset ${set.metadata?.name ?? ""} --cascade=orphan`,
      ),
    );
  return problems;
}

/** Postgres keeps each major version's data in a folder of its own: another one begins with an empty database. */
export function versionProblems(
  { name, namespace, values }: Pick<PlannedRelease, "name" | "namespace" | "values">,
  claims: readonly Live<V1PersistentVolumeClaim>[],
  sets: readonly Live<V1StatefulSet>[],
): Finding[] {
  const asked = majorOf(text(at(values, "image", "tag")));
  if (namespace !== namespaceNames.database || asked === undefined) return [];
  const running = sets.flatMap((set) => runningMajor(set) ?? [])[0];
  return claims.flatMap(({ metadata }) => {
    const claim = metadata?.name ?? "";
    const there = metadata?.annotations?.[majorKey] ?? running;
    if (there === asked) return [];
    if (there === undefined)
      return [
        warning(
          `which version of Postgres has written the volume of ${name}, ${namespace}/${claim}, is not known: no ` +
            `annotation ${majorKey} is on it, and no Postgres runs with it. The stack asks for ${asked}, and another one's ` +
            "database would seem to be empty",
          `Go on if it was ${asked}, or if nothing is lost; ask for the right one otherwise (database.values.image.tag)`,
        ),
      ];
    return [
      error(
        `the volume of ${name}, ${namespace}/${claim}, was written by Postgres ${there}, and the stack asks for ${asked}, which would begin with an empty database`,
        `Stay with ${there} (database.values.image.tag), or move the data yourself to a database elsewhere (database.kind: external)`,
      ),
    ];
  });
}
