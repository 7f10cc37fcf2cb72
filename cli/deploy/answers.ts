import { setTimeout as sleep } from "node:timers/promises";

import { type Cluster, Refused } from "../cluster/cluster";
import {
  type ServedModel,
  type ServedPredictor,
  publishedPlace,
  servedModels,
} from "../cluster/servedModels";
import { proxyAddress, throughProxy, trackingService } from "../cluster/services";
import { UserError, messageOf } from "../errors";
import { exampleRow, modelName } from "../local/target";
import { MlflowClient } from "../mlflow";
import { type ModelClient, clientOf } from "../modelClient";
import { type ParityRecord, checkParity, parityRecord } from "../parity";
import type { Progress } from "../progress";
import type { Answer } from "../seldon";

/** A model in service, with an answer that it has just given. */
export interface AnsweringModel {
  readonly model: ServedModel;
  readonly predictor: ServedPredictor;
  readonly row: readonly unknown[];
  readonly answer: Answer;
  /** Rows of its training that it answered as then. */
  readonly checkedRows: number;
}

/** How long a Service may take to lead to a pod that is ready. */
const patienceMilliseconds = 20_000;

/** A client of a predictor of a model, through the API server. */
export function clientThrough(
  cluster: Cluster,
  model: Pick<ServedModel, "protocol">,
  predictor: ServedPredictor,
): ModelClient {
  return clientOf(model, predictor, (path, body) =>
    cluster.send(proxyAddress(predictor.address, path), body === undefined ? {} : { body }),
  );
}

/**
 * Asks every model: the rows that were recorded at its training, which it has to answer with the same numbers, and one
 * more for people to see.
 *
 * @throws UserError a model does not answer, or not as at its training.
 */
export async function askModels(cluster: Cluster, progress: Progress): Promise<AnsweringModel[]> {
  const models = (await servedModels(cluster)).filter(({ protocol }) => protocol === "seldon");
  const questions = models.flatMap((model) =>
    model.predictors
      .filter(({ wanted }) => wanted > 0)
      .map((predictor) =>
        progress.step(`answer of ${model.name}`, async (step) => {
          const asked = await ask(cluster, model, predictor);
          step.detail(
            asked === undefined
              ? "not asked, since no rows were recorded at its training"
              : `${asked.checkedRows} rows answered as at its training`,
          );
          return asked;
        }),
      ),
  );
  return (await Promise.all(questions)).filter((asked) => asked !== undefined);
}

/** @returns undefined if nobody knows what to ask. */
async function ask(
  cluster: Cluster,
  model: ServedModel,
  predictor: ServedPredictor,
): Promise<AnsweringModel | undefined> {
  const record = await trainingRecord(cluster, predictor);
  if (record === undefined) return undefined;
  const client = clientThrough(cluster, model, predictor);
  const row = model.name === modelName ? exampleRow : (record.rows[0] ?? []);
  const answer = await patiently(() => client.ask({ ndarray: [row] }));
  await checkParity(client, record);
  return { model, predictor, row, answer, checkedRows: record.rows.length };
}

/** What was recorded at the training of what a predictor runs; undefined if the platform has not trained it. */
export async function trainingRecord(
  cluster: Cluster,
  predictor: ServedPredictor,
): Promise<ParityRecord | undefined> {
  const published = publishedPlace(predictor);
  if (published === undefined) return undefined;
  const mlflow = new MlflowClient(proxyAddress(trackingService), throughProxy(cluster));
  const place = `${published}/MLmodel`;
  return parityRecord(await mlflow.artifact(place), `mlflow-artifacts:/${place}`);
}

/** A model that refuses will not change its mind; an API server that does not reach one may. */
function mayPass(error: unknown): boolean {
  return error instanceof Refused ? error.status >= 500 : !(error instanceof UserError);
}

/** Asks until there is an answer: the address may know the pods a moment after they are ready. */
async function patiently<T>(question: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + patienceMilliseconds;
  for (;;) {
    try {
      return await question();
    } catch (error) {
      if (!mayPass(error) || Date.now() > deadline)
        throw new UserError(`the model does not answer: ${messageOf(error)}`);
      await sleep(500);
    }
  }
}
