import type { V1Job } from "@kubernetes/client-node";

import { namespaceNames } from "../../components/capabilities";
import { jobRoles, roleLabel } from "../../components/roles";
import { answersFile } from "../../config/answers";
import type { Cluster, Live } from "../cluster/cluster";
import { proxyAddress, throughProxy, trackingService } from "../cluster/services";
import { MlflowClient } from "../mlflow";
import { backend } from "../serving/backend";
import { loggedPlace } from "../serving/served";

/** Files of a model in service that are not where its pods fetch them. */
export interface LostFiles {
  readonly model: string;
  /** Below the tracking server's store: `1/models/m-…/artifacts`. */
  readonly place: string;
}

/** Without it a folder is no model. */
const modelFile = "MLmodel";

const jobsAddress = `/apis/batch/v1/namespaces/${namespaceNames.models}/jobs`;

/**
 * The models in service whose files are gone from the store: the pods that run go on, and no other one would start.
 * Where MLflow does not answer, nothing is known and nothing is lost.
 */
export async function lostFiles(cluster: Cluster): Promise<LostFiles[]> {
  const mlflow = new MlflowClient(proxyAddress(trackingService), throughProxy(cluster));
  const models = await backend.models(cluster).catch(() => []);
  const places = models.flatMap(({ name, predictors }) =>
    predictors.flatMap((predictor) => {
      const place = loggedPlace(predictor);
      return place === undefined ? [] : [{ model: name, place }];
    }),
  );
  const found = places.map(async (one) => {
    const files = await mlflow.artifacts(one.place).catch(() => undefined);
    return files === undefined || files.includes(modelFile) ? [] : [one];
  });
  return (await Promise.all(found)).flat();
}

/**
 * Has models trained again whose files are lost: the Job of the training is removed, so that the deployment makes it
 * anew. It trains unless the version that came of it still has its files.
 *
 * @returns what is lost, and whether there is such a Job.
 */
export async function trainAgain(
  cluster: Cluster,
): Promise<readonly (LostFiles & { readonly again: boolean })[]> {
  const lost = await lostFiles(cluster);
  if (lost.length === 0) return [];
  const jobs = (await cluster.list<V1Job>(jobsAddress)).map(({ metadata }) => metadata?.name ?? "");
  return Promise.all(
    lost.map(async (one) => {
      const own = jobs.filter((job) => new RegExp(`^${one.model}-train-[0-9a-f]+$`).test(job));
      for (const job of own) await removeJob(cluster, job);
      return { ...one, again: own.length > 0 };
    }),
  );
}

/**
 * Has the answers of versions computed again that are gone from the store or damaged there, so that no new pod gets ready: the
 * Job that has computed them is removed, and the deployment makes it anew. Where MLflow does not answer, nothing is lost.
 *
 * @returns the names of the Jobs.
 */
export async function computeAnswersAgain(cluster: Cluster): Promise<readonly string[]> {
  const mlflow = new MlflowClient(proxyAddress(trackingService), throughProxy(cluster));
  const selector = encodeURIComponent(`${roleLabel}=${jobRoles.answers}`);
  const jobs = await cluster.list<Live<V1Job>>(`${jobsAddress}?labelSelector=${selector}`);
  const found = jobs.map(async ({ metadata: { name = "" } = {}, spec, status }) => {
    const [, place] =
      /^mlflow-artifacts:\/(.+)/.exec(spec?.template.spec?.containers[0]?.command?.at(-1) ?? "") ?? [];
    if (place === undefined || status?.succeeded === undefined || (await isWhole(mlflow, place))) return [];
    await removeJob(cluster, name);
    return [name];
  });
  return (await Promise.all(found)).flat();
}

/** Whether the answers lie at a place and can be read, or nobody can tell. */
async function isWhole(mlflow: MlflowClient, place: string): Promise<boolean> {
  try {
    if (!(await mlflow.artifacts(place)).includes(answersFile)) return false;
    JSON.parse(await mlflow.artifact(`${place}/${answersFile}`));
    return true;
  } catch (error) {
    return !(error instanceof SyntaxError);
  }
}

async function removeJob(cluster: Cluster, name: string): Promise<void> {
  await cluster.remove(`${jobsAddress}/${name}?propagationPolicy=Background`);
}
