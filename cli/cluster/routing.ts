import * as path from "node:path";

import type { V1EndpointSlice, V1Service } from "@kubernetes/client-node";

import { namespaceNames } from "../../components/capabilities";
import type { Step } from "../progress";
import type { Cluster, Live } from "./cluster";
import type { Diagnosis } from "./diagnosis/diagnosis";
import { ClusterWatch } from "./diagnosis/watch";
import { askFromPod } from "./probe";

/** A port of a Service, and where it leads. */
export interface Route {
  readonly namespace: string;
  readonly service: string;
  /** `10.96.0.1:443`. */
  readonly address: string;
  /** Of pods that are ready, or what else stands behind it. */
  readonly behind: readonly string[];
}

/** What `routing.py` has found out. */
export interface RoutingAnswer {
  /** Names that are not resolved, and why. */
  readonly unknown: Readonly<Record<string, string>>;
  /** Addresses that take a connection. */
  readonly reached: readonly string[];
}

const script = path.join(__dirname, "routing.py");
const patienceSeconds = 25;
/** Every pod needs it resolved who speaks to the API server. */
const name = "kubernetes.default.svc";
/** Whose Services are tried: the API server's, the name servers', the platform's. */
const namespaces = ["default", "kube-system", ...Object.values(namespaceNames)];

/**
 * Has a pod find out whether the cluster resolves its names, and whether the addresses of Services lead to what answers
 * behind them. Everything else may be well without: the kubelet's probes and the API server's proxy need neither.
 *
 * @param image has Python.
 * @throws Refused or NoAnswer it cannot be found out.
 */
export async function routingFindings(
  cluster: Cluster,
  image: string,
  step: Step,
  signal: AbortSignal,
): Promise<Diagnosis[]> {
  const routes = (await Promise.all(namespaces.map((each) => routesIn(cluster, each)))).flat();
  const addresses = [...new Set(routes.flatMap(({ address, behind }) => [address, ...behind]))];
  const question = { names: [name], addresses };
  const probe = { image, scripts: [script], question, patience: patienceSeconds } as const;
  const answer = (await askFromPod(cluster, probe, step, signal)) as RoutingAnswer;
  return findingsIn(routes, answer, await new ClusterWatch(cluster).dnsTrouble());
}

async function routesIn(cluster: Cluster, namespace: string): Promise<Route[]> {
  const [services, slices] = await Promise.all([
    cluster.list<V1Service>(`/api/v1/namespaces/${namespace}/services`),
    cluster.list<V1EndpointSlice>(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`),
  ]);
  return services.flatMap((service) => routeOf(service, slices));
}

/** The first TCP port of a Service, if it has an address of its own and something behind it. */
function routeOf({ metadata, spec }: Live<V1Service>, slices: readonly Live<V1EndpointSlice>[]): Route[] {
  const service = metadata?.name ?? "";
  const port = spec?.ports?.find(({ protocol = "TCP" }) => protocol === "TCP");
  const own = spec?.clusterIP ?? "None";
  if (port === undefined || own === "None" || own === "") return [];
  const behind = slices
    .filter((slice) => slice.metadata?.labels?.["kubernetes.io/service-name"] === service)
    .flatMap(({ endpoints, ports }) => {
      const target = ports?.find((one) => (one.name ?? "") === (port.name ?? ""))?.port;
      // The API server writes null for none.
      const all = endpoints as typeof endpoints | null | undefined;
      const ready = (all ?? []).filter(({ conditions }) => conditions?.ready !== false);
      return target === undefined
        ? []
        : ready.flatMap(({ addresses }) => addresses.map((host) => joined(host, target)));
    });
  if (behind.length === 0) return [];
  return [{ namespace: metadata?.namespace ?? "", service, address: joined(own, port.port), behind }];
}

function joined(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * What an answer means. Of a Service behind which nothing answers either, nothing is said: it may be that nobody may
 * speak to it from there.
 *
 * @param dns that the cluster's name servers do not run, if it is known.
 */
export function findingsIn(
  routes: readonly Route[],
  { unknown, reached }: RoutingAnswer,
  dns: string | undefined,
): Diagnosis[] {
  const answers = (address: string) => reached.includes(address);
  const tried = routes.filter(({ behind }) => behind.some(answers));
  const [lost, ...others] = tried.filter(({ address }) => !answers(address));
  if (lost !== undefined) {
    const { namespace, service, address, behind } = lost;
    return [
      {
        object: { kind: "Service", namespace, name: service },
        cause: "network",
        what:
          `the cluster's service routing (kube-proxy) does not reach ${others.length + 1} of ${tried.length} Services: ` +
          `${service} in ${namespace} does not answer at ${address}, while what is behind it answers at ${behind.find(answers) ?? ""}`,
        mend:
          "See whether kube-proxy runs on every node, and what it logs: kubectl -n kube-system get pods -l k8s-app=kube-proxy " +
          "(on some clusters another program does its work, such as k3s itself or Cilium).",
        severity: "error",
      },
    ];
  }
  const [first] = Object.entries(unknown);
  if (first === undefined) return [];
  return [
    {
      object: { kind: "Service", namespace: "kube-system", name: "kube-dns" },
      cause: "network",
      what: `the cluster does not resolve its own names in a pod (${first.join(": ")})${dns === undefined ? "" : `; ${dns}`}`,
      mend: "See whether its name servers run, and what they log: kubectl -n kube-system get pods -l k8s-app=kube-dns",
      severity: "error",
    },
  ];
}
