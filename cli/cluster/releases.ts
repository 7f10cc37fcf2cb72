import { gunzipSync } from "node:zlib";

import type { V1Deployment, V1Secret, V1StatefulSet } from "@kubernetes/client-node";

import type { ReleaseRecords, ReleaseState } from "../engine/recover";
import type { Cluster, Live } from "./cluster";
import type { Workload } from "./rollout";

/** The newest revision of a release, as Helm has recorded it. */
export interface HelmRelease extends ReleaseState {
  readonly namespace: string;
  readonly revision: number;
  /** Of the chart; empty if the record cannot be read. */
  readonly version: string;
  /** Of what the chart installs. */
  readonly appVersion: string;
  /** When the revision was begun, as Helm writes it. */
  readonly deployed: string;
  /** What Helm has to say of the revision, such as why it failed. */
  readonly description: string;
  /** What it has installed, as YAML; empty if the record cannot be read. */
  readonly manifest: string;
}

/** What is used of a record. */
interface Payload {
  readonly manifest?: string;
  readonly info?: { readonly last_deployed?: string; readonly description?: string };
  readonly chart?: {
    readonly metadata?: { readonly name?: string; readonly version?: string; readonly appVersion?: string };
  };
}

/**
 * Helm's records as they lie in a cluster: for each revision a Secret, whose labels say whose it is and in which state
 * (https://helm.sh/docs/topics/advanced/#storage-backends).
 */
export class HelmReleases implements ReleaseRecords {
  constructor(private readonly cluster: Cluster) {}

  /** The newest revision of each release of a namespace, by name. @throws Refused */
  async list(namespace: string): Promise<HelmRelease[]> {
    const newest = new Map<string, Live<V1Secret>>();
    for (const secret of await this.records(namespace, "owner=helm")) {
      const name = label(secret, "name");
      const known = newest.get(name);
      if (known === undefined || revisionOf(known) < revisionOf(secret)) newest.set(name, secret);
    }
    return [...newest]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, secret]) => ({ name, namespace, ...stateOf(secret) }));
  }

  /** @throws Refused */
  async forget(namespace: string, name: string, scope: "newest" | "all"): Promise<void> {
    const records = await this.records(namespace, `owner=helm,name=${name}`);
    const newestFirst = records.sort((a, b) => revisionOf(b) - revisionOf(a));
    for (const { metadata } of scope === "all" ? newestFirst : newestFirst.slice(0, 1))
      await this.cluster.remove(`${secretsOf(namespace)}/${metadata?.name ?? ""}`);
  }

  private async records(namespace: string, labels: string): Promise<Live<V1Secret>[]> {
    const query = new URLSearchParams({ labelSelector: labels, fieldSelector: "type=helm.sh/release.v1" });
    return this.cluster.list<V1Secret>(`${secretsOf(namespace)}?${query.toString()}`);
  }
}

/** What of a release runs: its Deployments and StatefulSets, by the mark that Helm puts on them. @throws Refused */
export async function workloadsOf(
  cluster: Cluster,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<Workload[]> {
  const lists = await Promise.all([
    cluster.list<V1Deployment>(`/apis/apps/v1/namespaces/${namespace}/deployments`),
    cluster.list<V1StatefulSet>(`/apis/apps/v1/namespaces/${namespace}/statefulsets`),
  ]);
  return lists.flat().filter((workload) => releaseOf(workload) === name);
}

/** The release that has installed something. */
export function releaseOf({ metadata }: Workload): string | undefined {
  return metadata?.annotations?.["meta.helm.sh/release-name"];
}

function secretsOf(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/secrets`;
}

function label({ metadata }: Live<V1Secret>, key: string): string {
  return metadata?.labels?.[key] ?? "";
}

function revisionOf(secret: Live<V1Secret>): number {
  return Number(label(secret, "version"));
}

function stateOf(secret: Live<V1Secret>): Omit<HelmRelease, "name" | "namespace"> {
  const { info, chart, manifest = "" } = payloadOf(secret.data?.["release"] ?? "");
  const { name = "", version = "", appVersion = "" } = chart?.metadata ?? {};
  return {
    status: label(secret, "status"),
    revision: revisionOf(secret),
    chart: name,
    version,
    appVersion,
    deployed: info?.last_deployed ?? "",
    description: info?.description ?? "",
    manifest,
  };
}

/** JSON that Helm has compressed and encoded, and Kubernetes encoded again. A record that is damaged says nothing. */
function payloadOf(release: string): Payload {
  try {
    const encoded = Buffer.from(release, "base64").toString();
    return JSON.parse(gunzipSync(Buffer.from(encoded, "base64")).toString()) as Payload;
  } catch {
    return {};
  }
}
