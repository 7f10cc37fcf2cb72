import type { MlflowClient, ModelVersion } from "../mlflow";
import { type Servable, isTrainedHere } from "./registered";
import type { LocalModel } from "./state";

/** What a version's score on its test rows is called, and the score. */
export type Score = NonNullable<LocalModel["score"]>;

/** The score of a version, of which the higher is the better; undefined if its run has none that is known here. */
export async function scoreOf(
  mlflow: MlflowClient,
  model: Servable,
  { runId }: ModelVersion,
): Promise<Score | undefined> {
  if (!isTrainedHere(model)) return undefined;
  const value = await mlflow.metric(runId, "test_score");
  return value === undefined ? undefined : { name: model.training.score, value };
}
