import type { Cluster } from "../cli/cluster/cluster";
import { namespaceNames } from "../components/capabilities";
import { requirements } from "../components/pods";
import { executorResources } from "../components/serving/seldon/executor";
import { project } from "../cli/paths";
import { backend } from "../cli/serving/backend";
import { average, exampleOf, graphs, house } from "../test/e2e/graphs";
import { type Latencies, type Latency, type Place, latencies } from "../test/e2e/latency";
import { until } from "../test/e2e/pods";
import { Served } from "../test/e2e/served";
import { modelName } from "../test/e2e/testStack";
import type { BenchResult } from "./main";
import { onStack } from "./onStack";

/** Graphs, and the model by itself that each is compared with. */
const compared = { "listing-price": modelName, [average]: "wine-quality-sklearn" };

const behindExecutor = `${modelName} behind the executor`;

/**
 * What a graph takes longer than its model by itself: asked at its pod, where Seldon's executor leads requests through the
 * units, and at its address, before which the splitter stands. And what the executor alone adds to a model. On the current
 * context's cluster, which must be empty and is emptied again. `E2E_CONFIG` as for `npm run test:e2e`.
 *
 * @param seconds how long each of the three measurements of an address takes.
 * @param say is told what is being done.
 * @throws UserError a tool or an image is missing, or the cluster is not empty.
 */
export async function graphsBench(seconds: number, say: (line: string) => void): Promise<BenchResult> {
  return onStack(say, async ({ cluster, stack, run }) => {
    say("npm run up, with the models and the graphs of them");
    stack.write({}, { ...stack.graphs({}, graphs()), [`${project}:modelQuota`]: { memory: "7Gi" } });
    await run("up");
    say(`${modelName} once more, with Seldon's executor, which the platform leaves out of single models`);
    try {
      const executor = await startBehindExecutor(cluster);
      say("asking all addresses in turns");
      return report(await latencies(cluster, [...(await placesIn(cluster)), executor], seconds));
    } finally {
      await cluster.remove(`${backend.addressIn(namespaceNames.models)}/${executorName}`);
    }
  });
}

const executorName = `${modelName}-executor`;

/** The model's SeldonDeployment under another name, as the operator makes it where nothing is said of the executor. */
async function startBehindExecutor(cluster: Cluster): Promise<Place> {
  const address = backend.addressIn(namespaceNames.models);
  const live = await cluster.get<Deployed>(`${address}/${modelName}`);
  const [predictor] = live?.spec.predictors ?? [];
  if (live === undefined || predictor === undefined) throw new Error(`${modelName} is not in service`);
  const { apiVersion, kind, spec } = live;
  const twin = { ...predictor, annotations: {}, svcOrchSpec: { resources: requirements(executorResources) } };
  const body = { apiVersion, kind, metadata: { name: executorName }, spec: { ...spec, predictors: [twin] } };
  await cluster.send(address, { body: JSON.stringify(body) });
  await until(`${executorName} is available`, async () => {
    const { status } = (await cluster.get<Deployed>(`${address}/${executorName}`)) ?? {};
    return status?.state === "Available";
  });
  const asked = await new Served(cluster, modelName).asked();
  const service = { ...asked.predictor.address, service: `${executorName}-${predictor.name}` };
  return { ...asked, name: behindExecutor, predictor: { ...asked.predictor, address: service }, row: house };
}

interface Deployed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: { readonly predictors: readonly { readonly name: string }[] };
  readonly status?: { readonly state?: string };
}

/** Each model, and each graph at its pod and at its address. */
async function placesIn(cluster: Cluster): Promise<Place[]> {
  const inService = await backend.models(cluster);
  const places: Place[] = [];
  for (const [graph, model] of Object.entries(compared)) {
    const asked = await new Served(cluster, graph).asked();
    const row = await exampleOf(cluster, graph);
    // What one graph takes is not what its model takes, where a transformer stands between.
    const alone = graph === "listing-price" ? house : row;
    places.push({ ...(await new Served(cluster, model).asked()), name: model, row: alone });
    const pod = inService.find(({ name }) => name === graph)?.predictors[0];
    if (pod !== undefined) places.push({ ...asked, name: podOf(graph), predictor: pod, row });
    places.push({ ...asked, name: graph, row });
  }
  return places;
}

const podOf = (name: string) => `${name}, its pod`;

const head = ["one row over REST, in the cluster", "p50, ms", "adds", "ratio", "p99, ms", "ratio"];

function report(measured: Latencies): BenchResult {
  const figures: Record<string, number> = {};
  const rows = Object.entries(compared).flatMap(([graph, model]) => {
    const base = of(measured, model);
    const places = [model, ...(model === modelName ? [behindExecutor] : []), podOf(graph), graph];
    return places.map((place) => rowOf(place, of(measured, place), base, figures));
  });
  return { head, rows, figures };
}

function of(measured: Latencies, place: string): Latency {
  const found = measured[place];
  if (found === undefined) throw new Error(`${place} was not asked`);
  return found;
}

/** A line of the table. Its figures go where the others are. */
function rowOf(place: string, is: Latency, base: Latency, figures: Record<string, number>): string[] {
  const prefix = place.replaceAll(/\W+/g, "_");
  const cell = (key: string, value: number) =>
    (figures[`${prefix}_${key}`] = Math.round(value * 1000) / 1000).toFixed(2);
  return [
    place,
    ...[cell("p50_ms", is.p50), cell("adds_ms", is.p50 - base.p50), cell("ratio_p50", is.p50 / base.p50)],
    ...[cell("p99_ms", is.p99), cell("ratio_p99", is.p99 / base.p99)],
  ];
}
