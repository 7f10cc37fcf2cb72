/** What serves models, whichever software does it. */
import type * as pulumi from "@pulumi/pulumi";

import type { AnswersUse } from "../../config/answers";
import type { Checksums } from "../../config/checksums";
import type { Resources } from "../../config/fields";
import type { PrepackagedServer, Protocol } from "../../config/servers";
import type { UnitType } from "../../config/units";

export type { UnitType };

/** A node of an inference graph: a container with a model in it, or with code that stands between models. */
export interface GraphNode {
  /** Name of the unit and of its container; in the protocol v2 also of the model. */
  readonly name: string;
  /** @default MODEL */
  readonly type?: UnitType;
  /** Seldon's server for its kind of model; left out where the image has code of its own. */
  readonly server?: PrepackagedServer;
  readonly image: string;
  /** `s3://…` folder with the model's files, put into `/mnt/models` before the container starts. */
  readonly modelUri?: string | undefined;
  /**
   * What those files must be for the server to load them.
   * @default nothing is compared
   */
  readonly sha256?: Checksums | undefined;
  /**
   * What the server does with the answers of its own libraries, which lie beside the files.
   * @default there are none
   */
  readonly answers?: AnswersUse | undefined;
  /**
   * Arguments of the class in the image.
   * @default {}
   */
  readonly parameters?: Readonly<Record<string, string | number | boolean>>;
  readonly resources: Resources;
  /** How long it may take to be ready. */
  readonly startupSeconds: number;
  /**
   * Variables by name, each from a Secret: Seldon copies the pod's plain ones into a variable of its own.
   * @default {}
   */
  readonly environment?: Readonly<Record<string, { readonly secret: string; readonly key: string }>>;
  /**
   * Nodes behind this one.
   * @default []
   */
  readonly children?: readonly GraphNode[];
}

/** A version of a model, with its share of the requests. */
export interface PredictorArgs {
  /** Part of its address: `<model>-<predictor>`. */
  readonly name: string;
  /** The model, or a graph of several. */
  readonly graph: GraphNode;
  /**
   * Share of the requests, in percent; of a shadow the share of which it gets copies, and 0 means all.
   * @default 100 for a single predictor
   */
  readonly traffic?: number;
  /**
   * Whether it gets a copy of the requests, and its answers are dropped.
   * @default false
   */
  readonly shadow?: boolean;
  /** Pods; ignored under autoscaling. */
  readonly replicas: number;
}

/** A model that is to be in service. */
export interface ModelArgs {
  /** Name of the model, and of what it is in the cluster. */
  model: string;
  /** What has to be there before it, beside the server itself: images, trainings. */
  after: readonly pulumi.Resource[];
  /** Of requests: Seldon's own, or the Open Inference Protocol. */
  protocol: Protocol;
  /**
   * Whether the address answers over gRPC too.
   * @default where Seldon's executor can: it ends with such a call to a unit in the protocol v2 that is no model
   */
  grpc?: boolean | undefined;
  predictors: readonly PredictorArgs[];
  /** @default a fixed number of pods */
  autoscaling?:
    | { readonly minReplicas: number; readonly maxReplicas: number; readonly cpuUtilization: number }
    | undefined;
  /**
   * Pods of each predictor that stay while nodes are drained. Under autoscaling all but one of the fewest, whatever
   * stands here.
   * @default no disruption budget
   */
  minAvailable?: number | undefined;
}

/** Where predictions are made: `http://…:8000/api/v1.0/predictions`. */
export interface ModelUrls {
  /** By whichever predictor; left out where Istio splits the requests, at its gateway. */
  readonly url?: string;
  /** By each of them, by its name. */
  readonly predictors: Readonly<Record<string, string>>;
}

/** A model in service. It is ready when every predictor's pods of this very version answer. */
export interface ServedModel extends pulumi.Resource {
  readonly urls: pulumi.Output<ModelUrls>;
}

/** Puts models into service; `seldon/` is the one that there is. */
export interface ModelServer {
  /**
   * A model with its versions. Another version takes the place of the one before without a lost request.
   *
   * @param name of the component.
   */
  serve(name: string, model: ModelArgs, opts: pulumi.ComponentResourceOptions): ServedModel;
}
