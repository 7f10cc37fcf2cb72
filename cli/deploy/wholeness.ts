import type { V1Job } from "@kubernetes/client-node";

import { namespaceNames } from "../../components/capabilities";
import type { Cluster } from "../cluster/cluster";
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
  const address = `/apis/batch/v1/namespaces/${namespaceNames.models}/jobs`;
  const jobs = (await cluster.list<V1Job>(address)).map(({ metadata }) => metadata?.name ?? "");
  return Promise.all(
    lost.map(async (one) => {
      const own = jobs.filter((job) => new RegExp(`^${one.model}-train-[0-9a-f]+$`).test(job));
      for (const job of own) await cluster.remove(`${address}/${job}?propagationPolicy=Background`);
      return { ...one, again: own.length > 0 };
    }),
  );
}
