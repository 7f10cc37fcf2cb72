import { createHash } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import type { Resources } from "../../config/fields";
import { runOnce } from "../job";
import { fromSecret } from "../kubernetes";
import { type ObjectStore, copiesFolder, storeVariables } from "../objectStore/objectStore";
import { jobRoles } from "../roles";
import type { ModelNamespace } from "../serving/modelNamespace";
import type { TrackingServer } from "../tracking/trackingServer";

export interface TrainingJobArgs {
  /** Name under which the model is registered. */
  model: string;
  /** Where it runs, with the Secret for data in S3. */
  namespace: ModelNamespace;
  /** Image whose entry point trains, with the options of its manifest. */
  image: string;
  /**
   * What has to be there before it, such as the image.
   * @default []
   */
  after?: readonly pulumi.Resource[];
  /** Where it records the run and registers the model. */
  tracking: TrackingServer;
  /** Where `s3://…` data lie. */
  objectStore: ObjectStore;
  /**
   * Address of the data.
   * @default the sample in the image
   */
  data?: string | undefined;
  /**
   * Whether a copy of them is kept, in the bucket of the data.
   * @default true
   */
  keepData?: boolean;
  /**
   * Further options of the training command.
   * @default {}
   */
  parameters?: Readonly<Record<string, string | number | boolean>>;
  resources: Resources;
  retries: number;
  timeoutMinutes: number;
}

/** The user of the image. */
const user = 8888;

/**
 * Trains a model once for each image, parameters and data address: a hash of them is in the Job's name, so that it
 * runs again exactly when one of them changes. The registry knows the version that came of it by the same hash.
 */
export class TrainingJob extends pulumi.ComponentResource {
  constructor(name: string, args: TrainingJobArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:training:TrainingJob", name, { model: args.model }, opts);
    const { model, data, parameters = {}, tracking, namespace } = args;
    const options = [
      ...(data === undefined ? [] : ["--data", data]),
      ...Object.keys(parameters)
        .sort()
        .flatMap((key) => [`--${key}`, String(parameters[key])]),
    ];
    const hash = fingerprint([args.image, ...options]);

    runOnce(
      `${name}-job`,
      {
        namespace: namespace.namespace,
        jobName: `${model}-train-${hash}`,
        image: args.image,
        args: [
          ...["--register-as", model, "--experiment", model, "--once", hash],
          ...options,
          // No other model comes of it, so it is no part of the hash.
          ...(args.keepData === false ? ["--no-data-copy"] : []),
        ],
        env: [
          { name: "MLFLOW_TRACKING_URI", value: tracking.uri },
          { name: "MLFLOW_DISABLE_TELEMETRY", value: "true" },
          // No option: an image of somebody else's may not know it.
          { name: "DATA_COPIES", value: `s3://${args.objectStore.dataBucket}/${copiesFolder}` },
          ...Object.entries(storeVariables(args.objectStore)).map(([name, value]) => ({ name, value })),
          fromSecret("AWS_ACCESS_KEY_ID", namespace.trainingSecret, "AWS_ACCESS_KEY_ID"),
          fromSecret("AWS_SECRET_ACCESS_KEY", namespace.trainingSecret, "AWS_SECRET_ACCESS_KEY"),
        ],
        user,
        resources: args.resources,
        role: jobRoles.training,
        retries: args.retries,
        timeoutMinutes: args.timeoutMinutes,
      },
      { parent: this, dependsOn: [...(args.after ?? [])] },
    );
    this.registerOutputs({});
  }
}

function fingerprint(inputs: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 10);
}
