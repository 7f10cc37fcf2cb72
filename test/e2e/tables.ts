import type { V1Job } from "@kubernetes/client-node";

import type { Cluster, Live } from "../../cli/cluster/cluster";
import { exec } from "../../cli/cluster/exec";
import { type ParityRecord, compareWithRecord } from "../../cli/parity";
import { jobRoles, roleLabel } from "../../components/roles";
import { namespaceNames } from "../../components/capabilities";
import { manifests } from "../../config/manifests";
import { podsOf, until } from "./pods";
import { Served } from "./served";
import { modelName } from "./testStack";

/** A table to score, as a stack's file names it. */
export interface Table {
  readonly name: string;
  readonly model: string;
  readonly input: string;
  readonly output: string;
  readonly pods: number;
  readonly resources: { readonly cpu: string; readonly memory: string };
}

/** The tables of the test, one for each model: the rows that were recorded at its training. */
export const tables: readonly Table[] = manifests.map(({ name }) => ({
  name: `${name}-rows`,
  model: name,
  input: `s3://datasets/${name}.csv`,
  output: `s3://predictions/${name}-{version}.csv`,
  // With more pods than a table has pieces all but one find nothing to do.
  pods: name === modelName ? 2 : 1,
  // All fit so into a cluster of two CPUs, and into the quota of the models' namespace, beside the models.
  resources: { cpu: "50m", memory: "256Mi" },
}));

/** Puts the tables into the store. */
export async function putTables(cluster: Cluster): Promise<void> {
  for (const { model, input } of tables) {
    const { names, rows } = await recordOf(cluster, model);
    const lines = [names, ...rows].map((cells) => cells.join());
    await inStore(
      cluster,
      `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(" ")} | mc pipe ${keyOf(input)}`,
    );
  }
}

/**
 * Waits until the tables are scored, and compares the scores with the predictions of the trainings.
 *
 * @returns what was seen. @throws Error one is not scored, or otherwise.
 */
export async function checkScores(cluster: Cluster): Promise<string> {
  let jobs: readonly Live<V1Job>[] = [];
  await until("the tables are scored", async () => {
    jobs = await batchJobs(cluster);
    const underWay = jobs.filter((job) => !isMet(job, "Complete") && !isMet(job, "Failed"));
    if (jobs.length === tables.length && underWay.length === 0) return true;
    throw new Error(`of ${jobs.length} Jobs, not at their end: ${namesOf(underWay)}`);
  });
  const failed = jobs.filter((job) => isMet(job, "Failed"));
  if (failed.length > 0) throw new Error(`not scored: ${namesOf(failed)}`);
  for (const { model, output } of tables) {
    const version = await new Served(cluster, model).champion();
    const text = await inStore(cluster, `mc cat ${keyOf(output).replace("{version}", version)}`);
    const [, ...lines] = text.trim().split("\n");
    const ndarray = lines.map((line) => line.split(",").slice(1).map(Number));
    compareWithRecord({ data: { ndarray } }, await recordOf(cluster, model));
  }
  return `${tables.length} tables, each scored as at training`;
}

function recordOf(cluster: Cluster, model: string): Promise<ParityRecord> {
  return new Served(cluster, model).record();
}

/** Runs a command where MinIO runs, with its own client. @returns what it wrote */
async function inStore(cluster: Cluster, command: string): Promise<string> {
  const namespace = namespaceNames.objectStore;
  const [pod] = await podsOf(cluster, { namespace, labels: "app.kubernetes.io/instance=minio" });
  const place = { namespace, pod: pod?.metadata?.name ?? "", container: "minio" };
  const user = 'MC_HOST_store="http://$MINIO_ROOT_USER:$MINIO_ROOT_PASSWORD@127.0.0.1:9000"';
  return exec(cluster, place, ["sh", "-c", `export MC_CONFIG_DIR=/tmp/mc ${user}; ${command}`], 30_000);
}

/** `s3://bucket/key` as MinIO's client names it. */
function keyOf(address: string): string {
  return address.replace("s3://", "store/");
}

async function batchJobs(cluster: Cluster): Promise<readonly Live<V1Job>[]> {
  const query = new URLSearchParams({ labelSelector: `${roleLabel}=${jobRoles.batch}` }).toString();
  return cluster.list<V1Job>(`/apis/batch/v1/namespaces/${namespaceNames.models}/jobs?${query}`);
}

function namesOf(jobs: readonly Live<V1Job>[]): string {
  return jobs.map(({ metadata }) => metadata?.name ?? "").join(", ");
}

function isMet({ status }: Live<V1Job>, wanted: string): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === wanted && is === "True") === true;
}
