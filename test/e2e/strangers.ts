import type { V1Service } from "@kubernetes/client-node";

import type { Cluster } from "../../cli/cluster/cluster";
import { namespaceNames } from "../../components/capabilities";
import { until } from "./pods";
import { Visitor, removeVisitors, shutIn } from "./visitor";

/** What holds data, or leads to it. */
const guarded = [namespaceNames.database, namespaceNames.objectStore, namespaceNames.tracking];
const apiServer = "kubernetes.default.svc:443";

/** What a script has found out: `reached`, or why not, by address. */
type Found = Readonly<Record<string, string>>;

/**
 * Checks that a pod of somebody else reaches neither database nor store nor MLflow, on a cluster that enforces network
 * policies. Whether it does is found out by a policy of the test's own.
 *
 * @returns what was seen. @throws Error a stranger reaches something.
 */
export async function checkStrangers(cluster: Cluster): Promise<string> {
  const addresses = (await Promise.all(guarded.map((namespace) => servicesOf(cluster, namespace)))).flat();
  try {
    const stranger = await ask(cluster, "stranger", [apiServer, ...addresses]);
    await shutIn(cluster, "shut-in");
    const inside = await ask(cluster, "shut-in", [apiServer]);
    if (stranger[apiServer] !== "reached")
      throw new Error(`a pod without policies does not reach the API server: ${stranger[apiServer] ?? ""}`);
    if (inside[apiServer] === "reached") return "not checked: this cluster does not enforce network policies";
    const open = addresses.filter((address) => stranger[address] === "reached");
    if (open.length > 0) throw new Error(`a stranger reaches ${open.join(", ")}`);
    return `a stranger reaches none of ${addresses.join(", ")}`;
  } finally {
    await removeVisitors(cluster);
  }
}

async function servicesOf(cluster: Cluster, namespace: string): Promise<string[]> {
  const services = await cluster.list<V1Service>(`/api/v1/namespaces/${namespace}/services`);
  const addresses = services.flatMap(({ metadata, spec }) =>
    (spec?.ports ?? []).map(({ port }) => `${metadata?.name ?? ""}.${namespace}.svc:${port}`),
  );
  if (addresses.length === 0) throw new Error(`namespace ${namespace} has no Service`);
  return addresses;
}

async function ask(cluster: Cluster, name: string, addresses: readonly string[]): Promise<Found> {
  const visitor = await Visitor.start(cluster, name, "stranger.py", { ADDRESSES: addresses.join(" ") });
  await until(`${name} has asked`, async () => (await visitor.phase()) === "Succeeded");
  return JSON.parse(await visitor.log()) as Found;
}
