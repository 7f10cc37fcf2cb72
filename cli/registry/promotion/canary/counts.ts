/** What a splitter has counted of a predictor: Envoy's counters, in the text form of Prometheus. */
import { metricsPath } from "../../../../components/serving/splitter/envoyConfig";
import { splitterLabels, splitterPorts } from "../../../../components/serving/splitter/splits";
import type { V1Pod } from "@kubernetes/client-node";
import type { Cluster } from "../../../cluster/cluster";

/** Of one predictor, REST and gRPC together. */
export interface Counts {
  readonly requests: number;
  /** Answered by an error, of the client's too, broken off, or not answered. */
  readonly failed: number;
  /** How many answers took at most so many milliseconds, by that. */
  readonly within: ReadonlyMap<number, number>;
}

const wires = ["rest", "grpc"];

/** Reads what was counted of a predictor, in the texts of several pods. */
export function countsOf(texts: readonly string[], predictor: string): Counts {
  const clusters = new Set(wires.map((wire) => `${predictor}-${wire}`));
  let [requests, right, wrong] = [0, 0, 0];
  const within = new Map<number, number>();
  for (const text of texts)
    for (const [, name = "", labels = "", value = ""] of text.matchAll(/^(\w+)\{([^}]*)\} (\S+)$/gm)) {
      const label = new Map([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, of = ""]) => [key, of]));
      if (!clusters.has(label.get("envoy_cluster_name") ?? "")) continue;
      const count = Number(value);
      if (name === "envoy_cluster_upstream_rq_total") requests += count;
      // Of those that are under way nobody knows yet.
      else if (name === "envoy_cluster_upstream_rq_active") requests -= count;
      else if (name === "envoy_cluster_upstream_rq_xx") {
        if (!/[45]/.test(label.get("envoy_response_code_class") ?? "")) right += count;
      } else if (name === "envoy_cluster_upstream_cx_connect_fail") {
        requests += count;
      } else if (name === "envoy_cluster_grpc_failure" || name === "envoy_cluster_upstream_rq_rx_reset")
        wrong += count;
      else if (name === "envoy_cluster_upstream_rq_time_bucket") {
        const limit = label.get("le") === "+Inf" ? Infinity : Number(label.get("le"));
        within.set(limit, (within.get(limit) ?? 0) + count);
      }
    }
  // Who gives up waiting has no answer, right or wrong.
  return { requests, failed: Math.max(0, requests - right) + wrong, within };
}

/** The share of requests that have failed, in percent; 0 where there were none. */
export function failedPercent({ requests, failed }: Counts): number {
  return requests === 0 ? 0 : Math.min(100, (100 * failed) / requests);
}

/** The share of the answers that count as slow, which the rule bounds. */
export const slowShare = 0.05;

/** Milliseconds in which all but the slow answers came, about; undefined where there were none. */
export function slowest({ within }: Counts): number | undefined {
  const all = within.get(Infinity) ?? 0;
  if (all === 0) return undefined;
  const limits = limitsOf(within);
  const at = limits.findIndex((limit) => (within.get(limit) ?? 0) >= (1 - slowShare) * all);
  const [from, to] = [limits[at - 1] ?? 0, limits[at] ?? 0];
  if (!Number.isFinite(to)) return from;
  // Spread evenly between the limits of the bucket, or a millisecond more would be a bucket more.
  const [below, upTo] = [within.get(from) ?? 0, within.get(to) ?? 0];
  return from + ((to - from) * ((1 - slowShare) * all - below)) / (upTo - below);
}

/** The share of the answers that took longer, as far as is known, or may have; 0 where there were none. */
export function shareSlowerThan({ within }: Counts, milliseconds: number): number {
  const all = within.get(Infinity) ?? 0;
  if (all === 0) return 0;
  const limit = limitsOf(within).findLast((one) => one <= milliseconds);
  return 1 - (limit === undefined ? 0 : (within.get(limit) ?? 0)) / all;
}

function limitsOf(within: Counts["within"]): number[] {
  return [...within.keys()].sort((one, other) => one - other);
}

/** What the pods of a model's splitter tell; none of those that are on their way out. @throws Refused */
export async function splitterTexts(cluster: Cluster, namespace: string, model: string): Promise<string[]> {
  const labels = Object.entries({ ...splitterLabels, "app.kubernetes.io/name": model });
  const query = new URLSearchParams({ labelSelector: labels.map((one) => one.join("=")).join() }).toString();
  const address = `/api/v1/namespaces/${namespace}/pods`;
  const pods = await cluster.list<V1Pod>(`${address}?${query}`);
  const asked = pods
    .filter(
      ({ metadata, status }) => metadata?.deletionTimestamp === undefined && status?.phase === "Running",
    )
    .map(({ metadata }) =>
      cluster.send(`${address}/${metadata?.name ?? ""}:${splitterPorts.health}/proxy${metricsPath}`),
    );
  return (await Promise.all(asked)).filter(({ status }) => status === 200).map(({ body }) => body);
}
