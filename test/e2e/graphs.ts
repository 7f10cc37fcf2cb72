import type { Cluster } from "../../cli/cluster/cluster";
import { clientThrough } from "../../cli/deploy/answers";
import { readStackConfig } from "../../cli/plan/stackFiles";
import { project } from "../../cli/paths";
import { outputs } from "../../cli/protocols/answer";
import { modelName } from "./testStack";
import { Served } from "./served";

/** The graphs of the stack that has some, as they are written there, for a cluster of few CPUs. */
export function graphs(): readonly object[] {
  const models = readStackConfig("graphs").config[`${project}:models`];
  const written = (JSON.parse(String(models)) as object[]).filter((one) => "graph" in one);
  return written.map((one) => ({ ...one, resources: { cpu: "50m", memory: "256Mi" } }));
}

/** The example of the unit that reads houses as they are advertised, as the model takes it. */
const house = [3, 1.5, 1340, 1340, 7, 1, 0, 5651, 0, 98_168];

/**
 * Checks that the graphs answer what their models do: the one the price of the house that its unit has for an example, the
 * other the average of both wines' grades.
 *
 * @returns what they answered. @throws Error they answer otherwise.
 */
export async function checkGraphs(cluster: Cluster): Promise<string> {
  const ask = async (name: string, row?: readonly unknown[]) => {
    const asked = await new Served(cluster, name).asked();
    const client = clientThrough(cluster, asked, asked.predictor);
    const rows = row === undefined ? await client.example?.() : { ndarray: [row] };
    if (rows === undefined) throw new Error(`${name} tells no example`);
    return { rows, answer: Number(outputs(await client.ask(rows))[0]?.[0]) };
  };
  const [listing, price] = [await ask("listing-price"), await ask(modelName, house)];
  same("listing-price", listing.answer, price.answer);
  const average = await ask("wine-average");
  const wines = ["wine-quality-sklearn", "wine-quality-xgboost"];
  const grades = await Promise.all(wines.map((name) => ask(name, average.rows.ndarray[0])));
  same("wine-average", average.answer, grades.reduce((sum, { answer }) => sum + answer, 0) / grades.length);
  return `a house as it is advertised is worth ${listing.answer}, and a wine on the average ${average.answer}`;
}

function same(name: string, answered: number, expected: number): void {
  // MLServer's answers are of single precision.
  if (!(Math.abs(answered - expected) <= 1e-6 * Math.abs(expected)))
    throw new Error(`${name} answers ${answered}, and its models make ${expected}`);
}
