import { namespaceNames } from "../../components/capabilities";
import type { Cluster } from "../cluster/cluster";
import { proxyAddress, throughProxy, trackingService } from "../cluster/services";
import { MlflowClient } from "../mlflow";
import { backend } from "../serving/backend";
import { publishedPlace } from "../serving/served";

/** Files of a model in service that are not where its pods fetch them. */
export interface LostFiles {
  readonly model: string;
  /** Below the tracking server's store: `served/MODEL/HASH`. */
  readonly place: string;
}

/** Without it a folder is no model. It is published last, so that a folder with it is complete. */
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
      const place = publishedPlace(predictor);
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
 * Has lost files published again: the training's Job is removed, so that the deployment makes it anew. It takes the
 * files from the registry, or trains again where they are gone there too.
 *
 * @returns what will be published.
 */
export async function publishAgain(cluster: Cluster): Promise<readonly LostFiles[]> {
  const lost = await lostFiles(cluster);
  for (const { place } of lost) {
    const [, model = "", hash = ""] = place.split("/");
    const job = `/apis/batch/v1/namespaces/${namespaceNames.models}/jobs/${model}-train-${hash}`;
    await cluster.remove(`${job}?propagationPolicy=Background`);
  }
  return lost;
}
