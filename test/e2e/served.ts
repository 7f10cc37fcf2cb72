import type { Cluster } from "../../cli/cluster/cluster";
import { proxyAddress, throughProxy, trackingService } from "../../cli/cluster/services";
import { clientThrough } from "../../cli/deploy/answers";
import { questionFor } from "../../cli/deploy/question";
import { MlflowClient } from "../../cli/mlflow";
import { type ParityRecord, checkParity } from "../../cli/parity";
import { backend } from "../../cli/serving/backend";
import type { ServedPredictor } from "../../cli/serving/served";
import { modelName } from "./testStack";

/** The model in service and its records, as seen through the API server. */
export class Served {
  private readonly mlflow: MlflowClient;

  constructor(private readonly cluster: Cluster) {
    this.mlflow = new MlflowClient(proxyAddress(trackingService), throughProxy(cluster));
  }

  /** The predictor that is in service. @throws Error there is none. */
  async predictor(): Promise<ServedPredictor> {
    const models = await backend.models(this.cluster);
    const predictor = models.find(({ name }) => name === modelName)?.predictors[0];
    if (predictor === undefined) throw new Error(`no predictor of ${modelName} is in service`);
    return predictor;
  }

  /** What was recorded at the training of the files that are served. */
  async record(): Promise<ParityRecord> {
    const predictor = await this.predictor();
    const question = await questionFor(this.cluster, predictor);
    if (question.kind === "training") return question.record;
    throw new Error(`no training has logged ${predictor.modelUri ?? ""}`);
  }

  /** Checks that the model answers as at its training. @returns that it does, in words. @throws UserError */
  async checkAnswers(): Promise<string> {
    const [predictor, record] = await Promise.all([this.predictor(), this.record()]);
    await checkParity(clientThrough(this.cluster, { protocol: "seldon" }, predictor), record);
    return `${record.rows.length} rows as at training, the first ${record.predictions[0] ?? NaN}`;
  }

  /** The version of the model that is the champion. */
  async champion(): Promise<string> {
    const version = await this.mlflow.versionByAlias(modelName, "champion");
    if (version === undefined) throw new Error(`${modelName} has no champion`);
    return version.version;
  }

  /** All runs with their parameters and metrics, to be compared. */
  async runs(): Promise<readonly unknown[]> {
    const api = "/api/2.0/mlflow";
    const ask = async (method: string, body?: object) => {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const answer = await this.cluster.send(proxyAddress(trackingService, api + method), sent);
      if (answer.status !== 200) throw new Error(`MLflow answered ${answer.status} to ${method}`);
      return JSON.parse(answer.body) as unknown;
    };
    const found = await ask(`/experiments/get-by-name?experiment_name=${modelName}`);
    const { experiment } = found as { experiment: { experiment_id: string } };
    const { runs = [] } = (await ask("/runs/search", { experiment_ids: [experiment.experiment_id] })) as {
      runs?: readonly unknown[];
    };
    return runs;
  }
}
