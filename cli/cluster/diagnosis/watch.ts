import type { V1Namespace, V1Pod } from "@kubernetes/client-node";

import { namespaceNames } from "../../../components/capabilities";
import { messageOf } from "../../errors";
import { backend } from "../../serving/backend";
import { type Cluster, type Live, Refused } from "../cluster";
import { wrongArchitecture } from "./containers";
import { diagnose } from "./diagnose";
import { type Diagnosis, type LoggedContainer, inOrder, severityOf } from "./diagnosis";
import { type Said, blamesMlflow, linesOf, saidIn } from "./logs";
import { type NamespaceView, condition, count } from "./scene";

type Lists = Omit<NamespaceView, "name" | "namespace">;
type ListName = keyof Lists;

/** Where the lists of a namespace stand. */
const addresses: Readonly<Record<Exclude<ListName, "nodes" | "storageClasses">, (name: string) => string>> = {
  pods: (name) => `/api/v1/namespaces/${name}/pods`,
  claims: (name) => `/api/v1/namespaces/${name}/persistentvolumeclaims`,
  events: (name) => `/api/v1/namespaces/${name}/events`,
  jobs: (name) => `/apis/batch/v1/namespaces/${name}/jobs`,
  deployments: (name) => `/apis/apps/v1/namespaces/${name}/deployments`,
  replicaSets: (name) => `/apis/apps/v1/namespaces/${name}/replicasets`,
  statefulSets: (name) => `/apis/apps/v1/namespaces/${name}/statefulsets`,
  daemonSets: (name) => `/apis/apps/v1/namespaces/${name}/daemonsets`,
  models: backend.addressIn,
};

const logLines = 12;
/** A server writes more than one error for each request that fails. */
const serverLogLines = 200;
const logMilliseconds = 5_000;
/** A name that is not known for so long will not be. */
const passingMilliseconds = 25_000;
/** How long ago a server may have said what its clients have met now. */
const recentSeconds = 20;
const longestLine = 4_000;
const widest = 300;
/** How the platform's own programs say that they have not been answered yet. */
const asksAgain = " does not answer yet: ";

/** Looks into a cluster to see why something is not ready. */
export class ClusterWatch {
  /** When a named fault of a pod was first seen, in milliseconds since 1970. */
  private readonly firstSeen = new Map<string, number>();

  constructor(private readonly cluster: Cluster) {}

  /**
   * Why things in these namespaces are not ready, with the last lines that failing containers have logged.
   *
   * It does not throw. What the user may not see is left out; a cluster that does not answer is a finding.
   */
  async look(namespaces: readonly string[]): Promise<Diagnosis[]> {
    try {
      const [nodes, storageClasses] = await Promise.all([
        this.list<NamespaceView["nodes"][number]>("/api/v1/nodes"),
        this.list<NonNullable<NamespaceView["storageClasses"]>[number]>(
          "/apis/storage.k8s.io/v1/storageclasses",
        ),
      ]);
      const views = await Promise.all(namespaces.map((name) => this.view(name)));
      const now = this.cluster.now();
      const findings = views.flatMap((view) =>
        diagnose({ ...view, nodes: nodes ?? [], storageClasses }, now),
      );
      return inOrder(await Promise.all(findings.map((finding) => this.withLog(finding))));
    } catch (error) {
      return [lost(this.cluster.context, error)];
    }
  }

  private async view(name: string): Promise<Omit<NamespaceView, "nodes" | "storageClasses">> {
    const namespace = await seen(this.cluster.get<V1Namespace>(`/api/v1/namespaces/${name}`));
    const lists = await Promise.all(
      Object.entries(addresses).map(async ([key, address]) => [key, (await this.list(address(name))) ?? []]),
    );
    return { name, namespace, ...(Object.fromEntries(lists) as Omit<Lists, "nodes" | "storageClasses">) };
  }

  private list<T>(address: string): Promise<readonly T[] | undefined> {
    return seen(this.cluster.list<T>(address) as Promise<readonly T[]>);
  }

  /** A finding with the last lines of its container's log, and what these tell that the cluster does not. */
  private async withLog(finding: Diagnosis): Promise<Diagnosis> {
    const { container, object, cause, job } = finding;
    if (container === undefined) return finding;
    const lines = await this.logOf(object.namespace, container, logLines);
    const log = lines.map((line) => line.slice(0, widest));
    // A client of MLflow goes on for a minute and more before it says that it was refused.
    if (cause === "start" && job !== undefined) {
      const said = await this.mlflowSays(recentSeconds);
      if (said?.severity === "error")
        return {
          ...finding,
          log,
          what: `${finding.what}; MLflow says: ${said.line}`,
          ...mendOf(said),
          severity: "error",
        };
    }
    if (lines.length === 0) return finding;
    if (cause === "crash" && lines.some((line) => line.includes("exec format error")))
      return {
        ...finding,
        log,
        ...wrongArchitecture(`container ${container.name} of pod ${container.pod}`),
        severity: "error",
      };
    // Of what merely takes its time only a fault that has a name is news, and whom it waits for.
    const said = blamesMlflow(lines) ? ((await this.mlflowSays()) ?? saidIn(lines)) : saidIn(lines);
    const waits = lines.at(-1)?.includes(asksAgain) ?? false;
    if (said === undefined || (said.mend === undefined && cause === "start" && !waits))
      return { ...finding, log };
    const dns = said.name === true ? await this.dnsTrouble() : undefined;
    return {
      ...finding,
      log,
      what: `${finding.what}; it says: ${said.line}${dns === undefined ? "" : `; ${dns}`}`,
      ...mendOf(said),
      severity: severityOf(
        [finding.severity, said.severity].includes("error") ||
          (said.mend !== undefined && this.persists(`${container.pod}: ${said.mend}`)),
      ),
    };
  }

  /** Whether a fault of a pod that may pass has been seen for so long that it will not. */
  private persists(fault: string): boolean {
    const now = Date.now();
    const first = this.firstSeen.get(fault) ?? now;
    this.firstSeen.set(fault, first);
    return now - first >= passingMilliseconds;
  }

  /** That nobody in the cluster knows a name, since its DNS does not run; undefined if it does, or cannot be looked at. */
  async dnsTrouble(): Promise<string | undefined> {
    const pods = await this.list<Live<V1Pod>>(
      `${addresses.pods("kube-system")}?labelSelector=k8s-app%3Dkube-dns`,
    );
    if (pods === undefined || pods.some(({ status }) => condition(status?.conditions, "Ready")))
      return undefined;
    return `the cluster's DNS does not run: of ${count(pods.length, "pod")} k8s-app=kube-dns in kube-system none is ready`;
  }

  /**
   * What MLflow's log says is wrong: its clients are told of an error inside of it, and no more.
   *
   * @param seconds how far back. @default as far as its last lines go
   */
  async mlflowSays(seconds?: number): Promise<Said | undefined> {
    const namespace = namespaceNames.tracking;
    const pods = (await this.list<Live<V1Pod>>(addresses.pods(namespace))) ?? [];
    const logs = pods.flatMap(({ metadata, spec }) =>
      (spec?.containers ?? []).map(({ name }) =>
        this.logOf(namespace, { pod: metadata?.name ?? "", name, previous: false }, serverLogLines, seconds),
      ),
    );
    return saidIn((await Promise.all(logs)).flat());
  }

  /** The last lines of a container's log; none if it cannot be had, since its node is slow or it has gone. */
  private async logOf(
    namespace: string,
    { pod, name, previous }: LoggedContainer,
    lines: number,
    seconds?: number,
  ): Promise<string[]> {
    const since = seconds === undefined ? "" : `&sinceSeconds=${seconds}`;
    const query = `container=${name}&tailLines=${lines}${previous ? "&previous=true" : ""}${since}`;
    const address = `/api/v1/namespaces/${namespace}/pods/${pod}/log?${query}`;
    const answer = await this.cluster.send(address, { timeout: logMilliseconds }).catch(() => undefined);
    return answer?.status === 200 ? linesOf(answer.body).map((line) => line.slice(0, longestLine)) : [];
  }
}

function mendOf({ mend }: Said): { readonly mend?: string } {
  return mend === undefined ? {} : { mend };
}

/** What the user may see: undefined where the API server refuses. @throws what else goes wrong. */
async function seen<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    // Credentials that have expired open nothing at all.
    if (error instanceof Refused && error.status !== 401) return undefined;
    throw error;
  }
}

function lost(context: string, error: unknown): Diagnosis {
  const expired = error instanceof Refused;
  return {
    object: { kind: "Cluster", namespace: "", name: context },
    cause: "cluster",
    what: expired
      ? `cluster ${context} no longer accepts your credentials`
      : `cluster ${context} does not answer: ${messageOf(error)}`,
    mend: expired
      ? "Log in to the cluster again."
      : `Is it running, and does the network reach it? kubectl --context ${context} get nodes`,
    severity: severityOf(expired),
  };
}
