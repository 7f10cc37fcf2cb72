import type { V1Service } from "@kubernetes/client-node";

import type { Cluster } from "../../cli/cluster/cluster";
import { exec } from "../../cli/cluster/exec";
import { namespaceNames } from "../../components/capabilities";
import { podsOf, until } from "./pods";
import { Served } from "./served";
import { modelName } from "./testStack";
import { Visitor, removeVisitors, script, shutIn } from "./visitor";

/** What holds data, or leads to it. */
const guarded = [namespaceNames.database, namespaceNames.objectStore, namespaceNames.tracking];
const asking = "stranger.py";
const apiServer = "kubernetes.default.svc:443";

/** What a script has found out: `reached`, or why not, by address. */
type Found = Readonly<Record<string, string>>;

/**
 * Checks that a pod of somebody else reaches neither database nor store nor MLflow nor the models' page, that page
 * the models alone, and a model not MLflow, on a cluster that enforces network policies. Whether it does is found out by a policy of the test's
 * own.
 *
 * @returns what was seen. @throws Error somebody reaches what is closed to them.
 */
export async function checkStrangers(cluster: Cluster): Promise<string> {
  const [data, page] = await Promise.all([
    Promise.all(guarded.map((namespace) => servicesOf(cluster, namespace))).then((all) => all.flat()),
    servicesOf(cluster, namespaceNames.frontend),
  ]);
  const closed = [...data, ...page];
  try {
    const stranger = await ask(cluster, "stranger", [apiServer, ...closed]);
    await shutIn(cluster, "shut-in");
    const inside = await ask(cluster, "shut-in", [apiServer]);
    if (stranger[apiServer] !== "reached")
      throw new Error(`a pod without policies does not reach the API server: ${stranger[apiServer] ?? ""}`);
    if (inside[apiServer] === "reached") return "not checked: this cluster does not enforce network policies";
    refuse("a stranger", stranger, closed);
    const model = await checkFrontend(cluster, [apiServer, ...data]);
    await checkModel(cluster);
    return (
      `a stranger reaches none of ${closed.length} addresses; the page reaches ${model}, and neither these nor ${apiServer}; ` +
      "a model does not reach MLflow, which has all data"
    );
  } finally {
    await removeVisitors(cluster);
  }
}

/** What the page's own pod reaches: a model, whose address is returned, and none of these. @throws Error otherwise */
async function checkFrontend(cluster: Cluster, closed: readonly string[]): Promise<string> {
  const { service, namespace: models, port } = (await new Served(cluster).predictor()).address;
  const model = `${service}.${models}.svc:${port}`;
  const namespace = namespaceNames.frontend;
  const [pod] = await podsOf(cluster, { namespace, labels: "app.kubernetes.io/name=frontend" });
  const place = { namespace, pod: pod?.metadata?.name ?? "", container: "frontend" };
  const command = ["env", `ADDRESSES=${[model, ...closed].join(" ")}`, "python", "-c", script(asking)];
  const found = JSON.parse(await exec(cluster, place, command, 60_000)) as Found;
  if (found[model] !== "reached") throw new Error(`the page does not reach ${model}: ${found[model] ?? ""}`);
  refuse("the page", found, closed);
  return model;
}

/** A model's pod needs the store, for its files. @throws Error it reaches MLflow. */
async function checkModel(cluster: Cluster): Promise<void> {
  const namespace = namespaceNames.models;
  const [pod] = await podsOf(cluster, { namespace, labels: `seldon-deployment-id=${modelName}` });
  const tracking = await servicesOf(cluster, namespaceNames.tracking);
  const place = { namespace, pod: pod?.metadata?.name ?? "", container: modelName };
  const command = ["env", `ADDRESSES=${tracking.join(" ")}`, "python", "-c", script(asking)];
  refuse("a model", JSON.parse(await exec(cluster, place, command, 60_000)) as Found, tracking);
}

function refuse(who: string, found: Found, closed: readonly string[]): void {
  const open = closed.filter((address) => found[address] === "reached");
  if (open.length > 0) throw new Error(`${who} reaches ${open.join(", ")}`);
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
  const visitor = await Visitor.start(cluster, name, asking, { ADDRESSES: addresses.join(" ") });
  await until(`${name} has asked`, async () => (await visitor.phase()) === "Succeeded");
  return JSON.parse(await visitor.log()) as Found;
}
