/** What the configuration decides: which implementation of a capability, and what an entry of `models` becomes. */
import * as pulumi from "@pulumi/pulumi";

import type { PlatformConfig } from "../config";
import { imagesInUse } from "../config/checks";
import type { AppImageName, ModelConfig } from "../config/models";
import { imageReference, images } from "../pins";
import type { Database } from "./database/database";
import { ExternalDatabase } from "./database/externalDatabase";
import { PostgresChart } from "./database/postgresChart";
import { AppImage } from "./images/appImage";
import type { TrafficArgs } from "./namespaces/traffic";
import { ExternalS3 } from "./objectStore/externalS3";
import { MinioChart } from "./objectStore/minioChart";
import type { ObjectStore } from "./objectStore/objectStore";
import { ModelDeployment, type PredictorArgs } from "./serving/modelDeployment";
import type { ModelNamespace } from "./serving/modelNamespace";
import type { ServingOperator } from "./serving/servingOperator";
import type { TrackingServer } from "./tracking/trackingServer";
import { TrainingJob } from "./training/trainingJob";

/** The parts of the platform that a model needs. */
export interface ModelSurroundings {
  readonly namespace: ModelNamespace;
  readonly tracking: TrackingServer;
  readonly objectStore: ObjectStore;
  readonly operator: ServingOperator;
  /** The project's own images, by name. */
  readonly appImages: AppImages;
}

/** An image to run, and what builds it if it is built here. */
interface RunnableImage {
  readonly reference: string;
  readonly built?: pulumi.Resource;
}

/** The project's own images that are in use. */
export type AppImages = Readonly<Record<AppImageName, RunnableImage>>;

/** Labels for what Prometheus scrapes; none where monitoring is off. */
export function monitorLabels({ monitoring }: PlatformConfig) {
  return monitoring.enabled ? monitoring.labels : undefined;
}

/** What the network policies let through. */
export function trafficOf(config: PlatformConfig): TrafficArgs {
  const { database, objectStore, tracking, monitoring, serving, models } = config;
  return {
    externalDatabasePort: database.kind === "external" ? database.port : undefined,
    externalStorePort: objectStore.kind === "external" ? portOf(objectStore.endpoint) : undefined,
    ingressNamespace: tracking.ingress?.namespace,
    monitoringNamespace: monitoring.enabled ? monitoring.namespace : undefined,
    gatewayNamespace: serving.istio?.gateway.split("/")[0],
    webDataPorts: [...new Set(models.flatMap(({ training }) => webPorts(training?.data)))].sort(),
  };
}

function webPorts(data: string | undefined): number[] {
  return data?.startsWith("http") === true ? [portOf(data)] : [];
}

function portOf(endpoint: string | undefined): number {
  const url = new URL(endpoint ?? "https://s3.amazonaws.com");
  return url.port === ""
    ? { "http:": 80, "https:": 443 }[url.protocol as "http:" | "https:"]
    : Number(url.port);
}

export function createDatabase(
  name: string,
  config: PlatformConfig,
  namespace: pulumi.Output<string>,
  opts: pulumi.ComponentResourceOptions,
): Database {
  const { database, mirror, environment } = config;
  if (database.kind === "external")
    return new ExternalDatabase(name, { ...database, database: database.name }, opts);
  return new PostgresChart(
    name,
    { ...database, namespace, mirror, monitorLabels: monitorLabels(config), protect: environment !== "dev" },
    opts,
  );
}

export function createObjectStore(
  name: string,
  config: PlatformConfig,
  namespace: pulumi.Output<string>,
  opts: pulumi.ComponentResourceOptions,
): ObjectStore {
  const { objectStore, mirror, environment } = config;
  if (objectStore.kind === "external")
    return new ExternalS3(name, { ...objectStore, endpoint: objectStore.endpoint ?? "" }, opts);
  return new MinioChart(
    name,
    {
      ...objectStore,
      namespace,
      mirror,
      monitorLabels: monitorLabels(config),
      protect: environment !== "dev",
    },
    opts,
  );
}

/** Builds the images in use that are not built elsewhere. Without one of them, Docker is never asked. */
export function createAppImages(
  name: string,
  { images: settings, models, mirror }: PlatformConfig,
  opts: pulumi.ComponentResourceOptions,
): AppImages {
  const references = imagesInUse(models).map((image) => {
    const prebuilt = settings.prebuilt[image];
    if (prebuilt !== undefined) return [image, { reference: prebuilt }] as const;
    const built = new AppImage(`${name}-${image}`, { ...settings, image, mirror }, opts);
    return [image, { reference: built.reference, built }] as const;
  });
  return Object.fromEntries(references);
}

/** Trains a model if it is to be trained, and puts it into service. */
export function createModel(
  model: ModelConfig,
  config: PlatformConfig,
  surroundings: ModelSurroundings,
  opts: pulumi.ComponentResourceOptions,
): ModelDeployment {
  const { namespace, tracking, objectStore, operator } = surroundings;
  const { name, training } = model;
  const trainingImage = imageOf(training?.image, surroundings);
  const trained =
    training &&
    new TrainingJob(
      `${name}-training`,
      {
        ...training,
        model: name,
        namespace,
        tracking,
        objectStore,
        image: trainingImage.reference,
        after: present(trainingImage.built),
      },
      opts,
    );
  const image = imageOf(model.image, surroundings);
  const predictor = (version: string | undefined) => ({
    graph: {
      name,
      ...(model.server === undefined ? { parameters: model.parameters } : { server: model.server }),
      image: model.server === undefined ? image.reference : serverImage(model.server, config),
      modelUri: version ?? model.model ?? trained?.modelUri,
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
  return new ModelDeployment(
    name,
    {
      model: name,
      namespace: namespace.namespace,
      storageSecret: namespace.storageSecret,
      after: [operator, namespace, ...present(trained), ...present(image.built)],
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
