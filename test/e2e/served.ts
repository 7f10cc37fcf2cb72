import type { Cluster } from "../../cli/cluster/cluster";
import { proxyAddress, throughProxy, trackingService } from "../../cli/cluster/services";
import { clientThrough } from "../../cli/deploy/answers";
import { questionFor } from "../../cli/deploy/question";
import { MlflowClient } from "../../cli/mlflow";
import { type ParityRecord, checkParity } from "../../cli/parity";
import { backend } from "../../cli/serving/backend";
import type { ServedPredictor } from "../../cli/serving/served";
import type { Asked } from "./load";
import { modelName } from "./testStack";

/** A model in service and its records, as seen through the API server. */
export class Served {
  private readonly mlflow: MlflowClient;

  /** @param name the model's. @default the one that the tests are most about */
  constructor(
    private readonly cluster: Cluster,
    private readonly name = modelName,
  ) {
    this.mlflow = new MlflowClient(proxyAddress(trackingService), throughProxy(cluster));
  }

  /** What is in service, and how it is asked. @throws Error nothing is. */
  async asked(): Promise<Asked> {
    const models = await backend.models(this.cluster);
    const model = models.find(({ name }) => name === this.name);
    const predictor = model?.predictors[0];
    if (model === undefined || predictor === undefined)
      throw new Error(`no predictor of ${this.name} is in service`);
    // By the model's own address, whoever answers there.
    const address = { ...predictor.address, service: model.name };
    return { protocol: model.protocol, predictor: { ...predictor, address } };
  }

  /** The predictor that is in service. @throws Error there is none. */
  async predictor(): Promise<ServedPredictor> {
    return (await this.asked()).predictor;
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
    const [asked, record] = await Promise.all([this.asked(), this.record()]);
    await checkParity(clientThrough(this.cluster, asked, asked.predictor), record);
    return `${record.rows.length} rows as at training, the first ${String(record.predictions[0])}`;
  }

  /** The version of the model that is the champion. */
  async champion(): Promise<string> {
    const version = await this.mlflow.versionByAlias(this.name, "champion");
    if (version === undefined) throw new Error(`${this.name} has no champion`);
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
    const found = await ask(`/experiments/get-by-name?experiment_name=${this.name}`);
    const { experiment } = found as { experiment: { experiment_id: string } };
    const { runs = [] } = (await ask("/runs/search", { experiment_ids: [experiment.experiment_id] })) as {
      runs?: readonly unknown[];
    };
    return runs;
  }
}
