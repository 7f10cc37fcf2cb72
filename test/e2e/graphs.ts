import type { Cluster } from "../../cli/cluster/cluster";
import { clientThrough } from "../../cli/deploy/answers";
import { readStackConfig } from "../../cli/plan/stackFiles";
import { project } from "../../cli/paths";
import { outputs } from "../../cli/protocols/answer";
import { inWords, moveAsked } from "./moving";
import { Served } from "./served";
import { modelName } from "./testStack";

/** The graphs of the stack that has some, as they are written there, for a cluster of few CPUs. */
export function graphs(): readonly object[] {
  const models = readStackConfig("graphs").config[`${project}:models`];
  const written = (JSON.parse(String(models)) as object[]).filter((one) => "graph" in one);
  return written.map((one) => ({ ...one, resources: { cpu: "50m", memory: "256Mi" } }));
}

/** The example of the unit that reads houses as they are advertised, as the model takes it. */
export const house = [3, 1.5, 1340, 1340, 7, 1, 0, 5651, 0, 98_168];

/**
 * Checks that the graphs answer what their models do: the one the price of the house that its unit has for an example, the
 * other the average of both wines' grades.
 *
 * @returns what they answered. @throws Error they answer otherwise.
 */
export async function checkGraphs(cluster: Cluster): Promise<string> {
  const ask = async (name: string, row: readonly unknown[]) => {
    const asked = await new Served(cluster, name).asked();
    const client = clientThrough(cluster, asked, asked.predictor);
    return Number(outputs(await client.ask({ ndarray: [row] }))[0]?.[0]);
  };
  const listing = await ask("listing-price", await exampleOf(cluster, "listing-price"));
  same("listing-price", listing, await ask(modelName, house));
  const wine = await exampleOf(cluster, average);
  const both = await ask(average, wine);
  const wines = ["wine-quality-sklearn", "wine-quality-xgboost"];
  const grades = await Promise.all(wines.map((name) => ask(name, wine)));
  same(average, both, grades.reduce((sum, grade) => sum + grade, 0) / grades.length);
  return `a house as it is advertised is worth ${listing}, and a wine on the average ${both}`;
}

/** A graph of these, and one of the models that it is made of, by itself under the graph's name. */
export const average = "wine-average";
const alone = {
  ...{ name: average, server: "XGBOOST_SERVER", model: "models:/wine-quality-xgboost@champion" },
  resources: { cpu: "50m", memory: "256Mi" },
};

/**
 * Has clients ask a graph steadily while it becomes a single model, and a graph again.
 *
 * @param bring brings these entries into service, beside the models that they are made of.
 * @returns what was seen. @throws Error a request was lost.
 */
export async function changeUnderLoad(
  cluster: Cluster,
  bring: (graphs: readonly object[]) => Promise<unknown>,
): Promise<string> {
  const asked = await new Served(cluster, average).asked();
  const row = await exampleOf(cluster, average);
  // By the path that a model has, which a graph knows too.
  const known = { ...asked, predictor: { ...asked.predictor, unit: average, chained: false } };
  const told: string[] = [];
  for (const isGraph of [false, true]) {
    const wanted = graphs().map((one) => (!isGraph && "name" in one && one.name === average ? alone : one));
    const moved = await moveAsked(cluster, known, row, () => bring(wanted));
    told.push(`${isGraph ? "back" : "to a model"}: ${inWords(moved)}`);
  }
  return told.join("; ");
}

/** The row that a graph tells as an example. @throws Error it tells none. */
export async function exampleOf(cluster: Cluster, graph: string): Promise<readonly unknown[]> {
  const asked = await new Served(cluster, graph).asked();
  const [row] = (await clientThrough(cluster, asked, asked.predictor).example?.())?.ndarray ?? [];
  if (row === undefined) throw new Error(`${graph} tells no example`);
  return row;
}

function same(name: string, answered: number, expected: number): void {
  // MLServer's answers are of single precision.
  if (!(Math.abs(answered - expected) <= 1e-6 * Math.abs(expected)))
    throw new Error(`${name} answers ${answered}, and its models make ${expected}`);
}
