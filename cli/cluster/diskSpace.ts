import type { V1Pod } from "@kubernetes/client-node";

import type { Cluster, Live } from "./cluster";
import { exec } from "./exec";

/** What the file system of a volume has, in bytes. */
export interface DiskSpace {
  readonly size: number;
  readonly free: number;
}

/**
 * The space of volumes, as the pods see it that use them. The cluster's own figures leave out what lies in a folder of
 * the node, as on minikube and kind. What cannot be asked is left out.
 *
 * @returns by `namespace/claim`.
 */
export async function diskSpaces(
  cluster: Cluster,
  namespaces: readonly string[],
): Promise<ReadonlyMap<string, DiskSpace>> {
  const lists = namespaces.map((namespace) =>
    cluster.list<V1Pod>(`/api/v1/namespaces/${namespace}/pods`).catch((): Live<V1Pod>[] => []),
  );
  const mounts = (await Promise.all(lists)).flat().flatMap(mountsOf);
  const asked = mounts.map(async ({ claim, path, ...place }) => {
    const space = spaceIn(await exec(cluster, place, ["df", "-kP", path]).catch(() => ""));
    return space === undefined ? [] : [[claim, space] as const];
  });
  return new Map((await Promise.all(asked)).flat());
}

/** Where containers that run have claims mounted. */
export function mountsOf({ metadata, spec, status }: Live<V1Pod>) {
  const { namespace = "", name: pod = "" } = metadata ?? {};
  const running = (status?.containerStatuses ?? []).filter(({ state }) => state?.running !== undefined);
  return (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim }) => {
    if (persistentVolumeClaim === undefined) return [];
    const claim = `${namespace}/${persistentVolumeClaim.claimName}`;
    const found = (spec?.containers ?? []).flatMap(({ name: container, volumeMounts = [] }) =>
      running.some((one) => one.name === container)
        ? volumeMounts
            .filter((mount) => mount.name === name)
            .map(({ mountPath }) => ({ claim, namespace, pod, container, path: mountPath }))
        : [],
    );
    return found.slice(0, 1);
  });
}

/** What `df -kP` says of one file system; undefined if that is something else. */
export function spaceIn(output: string): DiskSpace | undefined {
  const [, size, free] = /\n\S+\s+(\d+)\s+\d+\s+(\d+)\s+\d+%\s/.exec(output) ?? [];
  return size === undefined || free === undefined
    ? undefined
    : { size: Number(size) * 1024, free: Number(free) * 1024 };
}
