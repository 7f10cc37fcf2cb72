/** What a model can be asked: the rows of its training, else the example of an input among its files. */
import { parse } from "yaml";

import type { Cluster } from "../cluster/cluster";
import type { ServedPredictor } from "../serving/served";
import { proxyAddress, throughProxy, trackingService } from "../cluster/services";
import { messageOf } from "../errors";
import { MlflowClient } from "../mlflow";
import type { ParityRecord } from "../parity";
import type { ModelClient, Rows } from "../protocols/answer";
import { artifactStore } from "../registry/registry";

/** What a predictor can be asked, or why nobody knows. */
export type Question =
  | { readonly kind: "training"; readonly record: ParityRecord }
  | { readonly kind: "example"; readonly rows: Rows }
  | { readonly kind: "none"; readonly reason: string };

/** What MLflow says of an example that was saved with a model: https://mlflow.org/docs/latest/ml/model/ */
interface ExampleInfo {
  readonly serving_input_path?: string;
  readonly artifact_path?: string;
}

/**
 * Finds what to ask a predictor, by what MLflow hands out of its files.
 */
export async function questionFor(
  cluster: Cluster,
  predictor: Pick<ServedPredictor, "modelUri">,
): Promise<Question> {
  const mlflow = new MlflowClient(proxyAddress(trackingService), throughProxy(cluster));
  const { modelUri } = predictor;
  if (modelUri === undefined)
    return none("its files are in its image, and no rows of its training are known");
  const store = await artifactStore(cluster);
  if (store === undefined) return none("the store of MLflow is not known, so that nobody can read its files");
  const uri = modelUri.replace(/\/+$/, "");
  if (!uri.startsWith(`${store}/`)) return none(`its files, ${uri}, are not in MLflow's store, ${store}`);
  try {
    return await recorded(mlflow, uri.slice(store.length + 1), uri);
  } catch (error) {
    return none(`MLflow does not hand out its files: ${messageOf(error)}`);
  }
}

/**
 * What to ask a graph: what the server of its first unit tells. The rows of a model's training are answered by that model
 * alone, which compares them before the graph is in service.
 */
export async function questionOf({ example }: Pick<ModelClient, "example">): Promise<Question> {
  const rows = await example?.().catch(() => undefined);
  return rows === undefined
    ? none("it is a graph, whose first unit tells no example of what it takes")
    : { kind: "example", rows };
}

/** What the files at a place tell of the model. */
async function recorded(mlflow: MlflowClient, place: string, uri: string): Promise<Question> {
  const content = parse(await mlflow.artifact(`${place}/MLmodel`)) as {
    metadata?: { mlplatform?: ParityRecord } | null;
    saved_input_example_info?: ExampleInfo | null;
  } | null;
  const record = content?.metadata?.mlplatform;
  if (record !== undefined) return { kind: "training", record };
  const { serving_input_path: request, artifact_path: example } = content?.saved_input_example_info ?? {};
  const file = request ?? example;
  if (file === undefined)
    return none(`neither rows of its training nor an input example are with ${uri}/MLmodel`);
  const rows = exampleRows(await mlflow.artifact(`${place}/${file}`));
  return rows === undefined
    ? none(`its input example, ${uri}/${file}, is not a table of rows`)
    : { kind: "example", rows };
}

function none(reason: string): Question {
  return { kind: "none", reason };
}

/**
 * The first row of an example in one of MLflow's forms: `dataframe_split`, `dataframe_records`, `inputs`, `instances`,
 * or what stands in them alone. Undefined if it is no table.
 */
export function exampleRows(text: string): Rows | undefined {
  let content: unknown;
  try {
    content = JSON.parse(plainJson(text));
  } catch {
    return undefined;
  }
  const request = (content ?? {}) as Record<string, unknown>;
  const wrapped = ["dataframe_split", "dataframe_records", "inputs", "instances"].find(
    (key) => key in request,
  );
  return firstRow(wrapped === undefined ? content : request[wrapped]);
}

/** What Python writes for numbers that are missing is not JSON. */
function plainJson(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|\bNaN\b/g, (found) => (found === "NaN" ? "null" : found));
}

function firstRow(table: unknown): Rows | undefined {
  if (Array.isArray(table)) {
    const [first] = table as unknown[];
    if (Array.isArray(first))
      return first.length > 0 && first.every(isValue) ? { ndarray: [first] } : undefined;
    return named(Object.entries(first ?? {}));
  }
  const { columns, data } = (table ?? {}) as { columns?: unknown; data?: unknown };
  const [first] = Array.isArray(data) ? (data as unknown[]) : [];
  if (Array.isArray(columns) && Array.isArray(first) && first.length === columns.length)
    return named(columns.map((name, index): [string, unknown] => [String(name), first[index]]));
  return undefined;
}

function named(features: readonly (readonly [string, unknown])[]): Rows | undefined {
  if (features.length === 0 || !features.every(([, value]) => isValue(value))) return undefined;
  return { names: features.map(([name]) => name), ndarray: [features.map(([, value]) => value)] };
}

function isValue(value: unknown): boolean {
  return value === null || ["boolean", "number", "string"].includes(typeof value);
}
