import type { Protocol } from "../../config/servers";
import type { ServicePort } from "../cluster/services";

/** A version of a model, as far as the cluster has it. */
export interface ServedPredictor {
  /** Part of its address, whatever its version. */
  readonly name: string;
  /** Hash of what it runs; empty for one that the platform has not made. */
  readonly version: string;
  /** Name of the node of its graph that says what it takes, by which the Open Inference Protocol addresses it. */
  readonly unit: string;
  /** Whether its graph has more nodes. */
  readonly chained: boolean;
  /** `s3://…` folder with the model's files; undefined if they are in the image. */
  readonly modelUri: string | undefined;
  /** Pods of this version that are ready. */
  readonly ready: number;
  readonly wanted: number;
  /** Pods of the version before, where they are replaced one by one: they answer too. */
  readonly former: number;
  /** Share of the requests, in percent. */
  readonly traffic: number;
  /** Where it is asked. */
  readonly address: ServicePort;
}

/** A model that is deployed. */
export interface ServedModel {
  readonly name: string;
  /** Name of what it is in the cluster, which the label of its pods has: another one for a graph. */
  readonly resource: string;
  readonly namespace: string;
  readonly protocol: Protocol;
  /** `new` is one that what serves models has not looked at yet. */
  readonly condition: "failing" | "new" | "serves";
  /** The same in the words of what serves it: `Creating`, `Available`. */
  readonly state: string;
  /** Why it is in that state, where that is said. */
  readonly reason: string;
  readonly predictors: readonly ServedPredictor[];
}

/** Where in MLflow's store the files of a version of the registry lie; undefined for all other files. */
export function loggedPlace({ modelUri }: Pick<ServedPredictor, "modelUri">): string | undefined {
  return /\/(\d+\/models\/[^/]+\/artifacts)\/?$/.exec(modelUri ?? "")?.[1];
}
