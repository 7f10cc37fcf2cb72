import type { Cluster } from "../../cli/cluster/cluster";
import { namespaceNames } from "../../components/capabilities";
import { manifests } from "../../config/manifests";
import { podsOf, until } from "./pods";
import { Served } from "./served";
import { Visitor, removeVisitors } from "./visitor";

/** Port and path of a model's metrics, which the monitors have too. */
const metrics = ":6000/proxy/prometheus";
/** What counts predictions: of the project's own servers, and of MLServer. */
const counters = /^(modelserver_request_duration_seconds_count|model_infer_request_duration_count)\b/m;

/**
 * Checks that a model answers by gRPC as it did at its training, and that the pods of all have metrics.
 *
 * @returns what was seen. @throws Error it does not, or one has none.
 */
export async function checkCalls(cluster: Cluster): Promise<string> {
  const served = new Served(cluster);
  const [{ address }, { rows, predictions }] = await Promise.all([served.predictor(), served.record()]);
  try {
    const visitor = await Visitor.start(cluster, "calls", "calls.py", {
      ADDRESS: `${address.service}.${address.namespace}.svc:5001`,
      ROW: JSON.stringify(rows[0]),
    });
    await until("the calls are over", async () => /Succeeded|Failed/.test(await visitor.phase()));
    const said = await visitor.log();
    const answers = (await visitor.phase()) === "Succeeded" ? (JSON.parse(said) as unknown[]) : [said];
    const wrong = answers.filter((answer) => answer !== predictions[0]);
    if (wrong.length > 0)
      throw new Error(
        `by gRPC it answers ${JSON.stringify(wrong)}, and at training ${String(predictions[0])}`,
      );
    const counted = await Promise.all(manifests.map(({ name }) => podsWithMetrics(cluster, name)));
    return `by gRPC as at training, ${answers.length} services; metrics of ${counted.flat().length} pods`;
  } finally {
    await removeVisitors(cluster);
  }
}

/** Names of the pods of a model. @throws Error one counts no predictions. */
async function podsWithMetrics(cluster: Cluster, model: string): Promise<string[]> {
  const namespace = namespaceNames.models;
  const pods = await podsOf(cluster, { namespace, labels: `seldon-deployment-id=${model}` });
  const names = pods.map(({ metadata }) => metadata?.name ?? "");
  for (const name of names) {
    const { body } = await cluster.send(`/api/v1/namespaces/${namespace}/pods/${name}${metrics}`);
    if (!counters.test(body)) throw new Error(`pod ${name} counts no predictions: ${body.slice(0, 300)}`);
  }
  if (names.length === 0) throw new Error(`${model} has no pod`);
  return names;
}
