import { setTimeout as sleep } from "node:timers/promises";

import { type Cluster, Refused } from "../cluster/cluster";
import { servedVersion } from "../serving/version";
import { proxyAddress, throughProxy, trackingService } from "../cluster/services";
import { UserError, messageOf } from "../errors";
import type { Reply } from "../exchange";
import { exampleOf } from "../local/models";
import { MlflowClient } from "../mlflow";
import type { Answer, ModelClient } from "../protocols/answer";
import { protocolClients } from "../protocols/protocols";
import { backend } from "../serving/backend";
import type { ServedModel, ServedPredictor } from "../serving/served";
import { checkParity } from "../parity";
import type { Progress } from "../progress";
import { questionFor, questionOf } from "./question";

/** A predictor of a model in service. */
interface Asked {
  readonly model: ServedModel;
  readonly predictor: ServedPredictor;
  /** The version in the registry; undefined where it is not known. */
  readonly version: string | undefined;
}

/** One with an answer that it has just given. */
export interface AnsweringModel extends Asked {
  readonly row: readonly unknown[];
  readonly answer: Answer;
  /** Rows of its training that it answered as then; none if none were recorded. */
  readonly checkedRows: number;
}

/** One that has given no answer, since nobody knows what to ask it, or it refuses its own example. */
export interface UncheckedModel extends Asked {
  readonly notChecked: string;
}

/** How long a Service may take to lead to a pod that is ready. */
const patienceMilliseconds = 20_000;

/** A client of a predictor of a model, through the API server. */
export function clientThrough(
  cluster: Cluster,
  model: Pick<ServedModel, "protocol">,
  predictor: ServedPredictor,
): ModelClient {
  return protocolClients[model.protocol].client((path, body) => {
    const place = proxyAddress(predictor.address, path);
    return body === undefined ? found(cluster, place) : cluster.send(place, { body });
  }, predictor);
}

/** What is at an address, where a web framework's own 404 looks like the API server's. */
function found(cluster: Cluster, place: string): Promise<Reply> {
  return cluster.send(place).catch((error: unknown) => {
    if (error instanceof Refused && error.status === 404) return { status: 404, body: error.message };
    throw error;
  });
}

/**
 * Asks every model, whatever its protocol: the rows that were recorded at its training, which it has to answer with the
 * same numbers, and one more for people to see. One without such rows is asked the input example among its files.
 *
 * @throws UserError a model does not answer, or not as at its training.
 */
export async function askModels(
  cluster: Cluster,
  progress: Progress,
): Promise<(AnsweringModel | UncheckedModel)[]> {
  const mlflow = new MlflowClient(proxyAddress(trackingService), throughProxy(cluster));
  const questions = (await backend.models(cluster)).flatMap((model) =>
    model.predictors
      .filter(({ wanted }) => wanted > 0)
      .map((predictor) =>
        progress.step(`answer of ${model.name}`, async (step) => {
          const [version, given] = await Promise.all([
            servedVersion(mlflow, predictor),
            ask(cluster, model, predictor),
          ]);
          const asked = { model, predictor, version, ...given };
          if ("notChecked" in asked) step.skip(`not checked: ${asked.notChecked}`);
          else step.detail(whatWasAsked(asked.checkedRows));
          return asked;
        }),
      ),
  );
  return Promise.all(questions);
}

function whatWasAsked(checkedRows: number): string {
  return checkedRows > 0
    ? `${checkedRows} rows answered as at its training`
    : "its input example answered; no rows of its training to compare with";
}

async function ask(
  cluster: Cluster,
  model: ServedModel,
  predictor: ServedPredictor,
): Promise<Omit<AnsweringModel, keyof Asked> | Omit<UncheckedModel, keyof Asked>> {
  const client = clientThrough(cluster, model, predictor);
  const question = await (predictor.chained ? questionOf(client) : questionFor(cluster, predictor));
  if (question.kind === "none") return { notChecked: question.reason };
  if (question.kind === "training") {
    const { record } = question;
    const row = exampleOf(model.name) ?? record.rows[0] ?? [];
    const answer = await patiently(() => client.ask({ ndarray: [row] }));
    await checkParity(client, record);
    return { row, answer, checkedRows: record.rows.length };
  }
  const { rows } = question;
  try {
    const answer = await patiently(() => client.ask(rows));
    return { row: rows.ndarray[0] ?? [], answer, checkedRows: 0 };
  } catch (error) {
    // Its server may want another form than the example has; whoever is not reached at all does not serve.
    if (!(error instanceof Declined)) throw error;
    return { notChecked: `it does not take its input example: ${error.reason}` };
  }
}

/** The model itself has refused. */
class Declined extends UserError {
  constructor(readonly reason: string) {
    super(`the model does not answer: ${reason}`);
  }
}

/** A model that refuses will not change its mind; an API server that does not reach one may. */
function mayPass(error: unknown): boolean {
  return error instanceof Refused ? error.status >= 500 : !(error instanceof UserError);
}

/**
 * Asks until there is an answer: the address may know the pods a moment after they are ready.
 *
 * @throws UserError the model refuses, or nothing answers for so long.
 */
export async function patiently<T>(question: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + patienceMilliseconds;
  for (;;) {
    try {
      return await question();
    } catch (error) {
      if (!mayPass(error) || Date.now() > deadline)
        throw error instanceof UserError && !(error instanceof Refused)
          ? new Declined(error.message)
          : new UserError(`the model does not answer: ${messageOf(error)}`);
      await sleep(500);
    }
  }
}
