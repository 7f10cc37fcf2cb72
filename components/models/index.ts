import type * as pulumi from "@pulumi/pulumi";

import type { PlatformConfig } from "../../config";
import type { ModelConfig } from "../../config/models";
import { imageReference, images } from "../../pins";
import type { AppImages, RunnableImage } from "../images";
import type { ObjectStore } from "../objectStore/objectStore";
import type { ModelNamespace } from "../serving/modelNamespace";
import type { ModelServer, PredictorArgs, ServedModel } from "../serving/modelServer";
import type { TrackingServer } from "../tracking/trackingServer";
import { TrainingJob } from "../training/trainingJob";

/** The parts of the platform that a model needs. */
export interface ModelSurroundings {
  readonly namespace: ModelNamespace;
  readonly tracking: TrackingServer;
  readonly objectStore: ObjectStore;
  readonly server: ModelServer;
  /** The project's own images, by name. */
  readonly appImages: AppImages;
}

/** Trains a model if it is to be trained, and puts it into service. */
export function createModel(
  model: ModelConfig,
  config: PlatformConfig,
  surroundings: ModelSurroundings,
  opts: pulumi.ComponentResourceOptions,
): ServedModel {
  const { namespace, tracking, objectStore, server } = surroundings;
  const { name, training } = model;
  const trainingImage = imageOf(training?.image, surroundings);
  const trained =
    training &&
    new TrainingJob(
      `${name}-training`,
      {
        model: name,
        namespace,
        tracking,
        objectStore,
        image: trainingImage.reference,
        after: present(trainingImage.built),
        data: training.data,
        parameters: training.parameters,
        resources: training.resources,
        retries: training.retries,
        timeoutMinutes: training.timeoutMinutes,
      },
      opts,
    );
  const image = imageOf(model.image, surroundings);
  // What was decided for a name in the registry; any other address is that of the files.
  const filesAt = (address: string | undefined) => config.decisions[address ?? ""]?.files ?? address;
  const predictor = (version: string | undefined) => ({
    graph: {
      name,
      ...(model.server === undefined ? { parameters: model.parameters } : { server: model.server }),
      image: model.server === undefined ? image.reference : serverImage(model.server, config),
      modelUri: filesAt(version ?? model.model) ?? trained?.modelUri,
      resources: model.resources,
      startupSeconds: model.startupSeconds,
      environment: model.environment,
    },
  });
  const predictors: PredictorArgs[] = model.predictors?.map((one) => ({
    ...predictor(one.model),
    name: one.name,
    traffic: one.traffic,
    shadow: one.shadow,
    replicas: one.replicas ?? model.replicas,
  })) ?? [{ ...predictor(undefined), name: "default", replicas: model.replicas }];
  return server.serve(
    name,
    {
      model: name,
      after: [...present(trained), ...present(image.built)],
      protocol: model.protocol ?? (model.server === undefined ? "seldon" : "v2"),
      predictors,
      autoscaling: model.autoscaling,
      minAvailable: model.minAvailable,
    },
    opts,
  );
}

/** One of the project's images, or a reference as it is. */
function imageOf(image: string | undefined, { appImages: own }: ModelSurroundings): RunnableImage {
  return own[image ?? ""] ?? { reference: image ?? "" };
}

function present<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}

function serverImage(
  server: "MLFLOW_SERVER" | "SKLEARN_SERVER" | "XGBOOST_SERVER",
  { mirror }: PlatformConfig,
): string {
  const pin = {
    MLFLOW_SERVER: images.mlserverMlflow,
    SKLEARN_SERVER: images.mlserverSklearn,
    XGBOOST_SERVER: images.mlserverXgboost,
  }[server];
  return imageReference(pin, mirror);
}
