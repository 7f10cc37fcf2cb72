/** Which major version of Postgres has written a volume: it is kept with the data, as an annotation of their claim. */
import type { V1PersistentVolumeClaim, V1StatefulSet } from "@kubernetes/client-node";

import { namespaceNames } from "../../components/capabilities";
import type { Progress } from "../progress";
import { type Cluster, type Live, Refused } from "./cluster";
import { templateOf } from "./volumes";

const namespace = namespaceNames.database;
const claimsAddress = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`;

/** Name of the annotation. */
export const majorKey = "mlplatform/postgres-major";

/** The major version in a tag: `18` of `18.6@sha256:…`. */
export function majorOf(tag: string | undefined): string | undefined {
  return /^v?(\d+)(?:\D|$)/.exec(tag ?? "")?.[1];
}

/** The major version that runs; undefined if none is ready: what does not come up has written nothing. */
export function runningMajor({ spec, status }: Live<V1StatefulSet>): string | undefined {
  const [container] = spec?.template.spec?.containers ?? [];
  const tag = /:([^/:]+)$/.exec((container?.image ?? "").split("@")[0] ?? "")?.[1];
  return (status?.readyReplicas ?? 0) > 0 ? majorOf(tag) : undefined;
}

/**
 * Writes on the claims of the Postgres that runs which version has their data. To be called when it is known to be
 * well. Nothing else writes there: a StatefulSet makes its claims once, and they are in no release's manifest.
 */
export async function keepPostgresVersion(cluster: Cluster, progress: Pick<Progress, "warn">): Promise<void> {
  try {
    const sets = await cluster.list<V1StatefulSet>(`/apis/apps/v1/namespaces/${namespace}/statefulsets`);
    const claims = sets.length === 0 ? [] : await cluster.list<V1PersistentVolumeClaim>(claimsAddress);
    for (const set of sets) {
      const major = runningMajor(set);
      const own = claims.filter(
        ({ metadata: { name = "", annotations } = {} }) =>
          templateOf(set, set.metadata?.name ?? "", name) !== undefined && annotations?.[majorKey] !== major,
      );
      if (major === undefined) continue;
      for (const { metadata } of own)
        await cluster.send(`${claimsAddress}/${metadata?.name ?? ""}`, {
          method: "PATCH",
          contentType: "application/merge-patch+json",
          body: JSON.stringify({ metadata: { annotations: { [majorKey]: major } } }),
        });
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    progress.warn(
      `which version of Postgres has written its volume could not be kept with it: ${error.message}`,
    );
  }
}
