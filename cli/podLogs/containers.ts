import type { V1ContainerStatus, V1Pod } from "@kubernetes/client-node";

import type { Cluster, Live } from "../cluster/cluster";
import type { ContainerName } from "./stream";
import type { Source } from "./sources";

/** A container of a source, and whether there is a log of it. */
export interface LoggedContainer extends ContainerName {
  /** Of the run that goes on, or was the last: another one after a restart. Undefined if it has not run yet. */
  readonly run: string | undefined;
  /** Whether there is a log of a run before. */
  readonly restarted: boolean;
  /** Why it has not run yet. */
  readonly waiting: string;
}

/** The containers of a source's pods, oldest pod first, in the order in which they run. @throws Refused */
export async function containersOf(
  cluster: Cluster,
  { namespace, labels }: Source,
  only: string | undefined,
): Promise<LoggedContainer[]> {
  const query = new URLSearchParams({ labelSelector: labels }).toString();
  const pods = await cluster.list<V1Pod>(`/api/v1/namespaces/${namespace}/pods?${query}`);
  const age = ({ metadata }: Live<V1Pod>) => metadata?.creationTimestamp ?? "";
  return pods
    .sort((a, b) => (age(a) < age(b) ? -1 : 1))
    .flatMap(containersIn)
    .filter(({ container }) => only === undefined || container === only);
}

function containersIn({ metadata, spec, status }: Live<V1Pod>): LoggedContainer[] {
  const statuses = new Map(
    [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map((one) => [
      one.name,
      one,
    ]),
  );
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ name }) => ({
    namespace: metadata?.namespace ?? "",
    pod: metadata?.name ?? "",
    container: name,
    ...runOf(statuses.get(name), status?.phase ?? "Pending"),
  }));
}

function runOf(status: Live<V1ContainerStatus> | undefined, phase: string) {
  const { state, lastState } = status ?? {};
  const ran = state?.running ?? state?.terminated ?? lastState?.terminated;
  return {
    run: ran === undefined ? undefined : (state?.terminated?.containerID ?? status?.containerID ?? ""),
    restarted: lastState?.terminated !== undefined,
    waiting: state?.waiting?.reason ?? phase,
  };
}
