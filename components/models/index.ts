import type * as pulumi from "@pulumi/pulumi";

import type { PlatformConfig } from "../../config";
import { useOfAnswers } from "../../config/answers";
import { type Served, servedOf } from "../../config/decisionChecks";
import { type Part, partOf, protocolOf } from "../../config/graph";
import { servedBy } from "../../config/manifests";
import { mlflowImage, mlflowServer } from "../../config/mlflowServer";
import type { ModelConfig } from "../../config/models";
import { registryName } from "../../config/registryNames";
import { imageReference, images } from "../../pins";
import type { AppImages, RunnableImage } from "../images";
import type { ObjectStore } from "../objectStore/objectStore";
import { present } from "../present";
import { AnswersJob } from "../serving/answersJob";
import type { ModelNamespace } from "../serving/modelNamespace";
import type { GraphNode, ModelServer, PredictorArgs, ServedModel } from "../serving/modelServer";
import { solePredictor } from "../serving/splitter/splits";
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

/** Trains a model, if it is to be trained. */
export function trainModel(
  { name, training }: ModelConfig,
  surroundings: ModelSurroundings,
  opts: pulumi.ComponentResourceOptions,
): void {
  if (training === undefined) return;
  const { namespace, tracking, objectStore } = surroundings;
  const image = imageOf(training.image, surroundings);
  new TrainingJob(
    `${name}-training`,
    {
      model: name,
      namespace,
      tracking,
      objectStore,
      image: image.reference,
      after: present(image.built),
      data: training.data,
      keepData: training.keepData,
      parameters: training.parameters,
      resources: training.resources,
      retries: training.retries,
      timeoutMinutes: training.timeoutMinutes,
    },
    opts,
  );
}

/** A model in service. */
export interface InService {
  readonly served: ServedModel;
  /** What has had its versions answer by their own libraries, by the folders of their files. */
  readonly answered: ReadonlyMap<string, pulumi.Resource>;
}

/** Puts the version of a model into service that was decided on. */
export function serveModel(
  model: ModelConfig,
  config: PlatformConfig,
  surroundings: ModelSurroundings,
  opts: pulumi.ComponentResourceOptions,
): InService {
  const { server } = surroundings;
  const { name } = model;
  const before = new Set<pulumi.Resource>();
  const answered = new Map<string, pulumi.Resource>();
  const toNode = ({ type, model: single, children }: Part, address = servedOf(single)): GraphNode => {
    // For a name in the registry; any other address is that of the files.
    const decided = config.decisions[address ?? ""];
    const image = servingImage(single, decided, config, surroundings);
    if (image.built !== undefined) before.add(image.built);
    const answers = decided && useOfAnswers(single, decided);
    if (decided !== undefined && answers === "required" && !answered.has(decided.files)) {
      const node = model.graph === undefined ? [name] : [name, single.name];
      // Predictors may be of several registered models, each with a version of the same number.
      const { model: registered = single.name } = registryName(address ?? "") ?? {};
      const owner = registered === single.name ? node : [...node, registered];
      answered.set(decided.files, computeAnswers(owner, single, decided, surroundings, opts));
    }
    return {
      name: single.name,
      ...(type === "MODEL" ? {} : { type }),
      ...(single.server === undefined
        ? { parameters: { ...versionParameters(single, address, decided), ...single.parameters } }
        : { server: single.server === mlflowServer ? "MLFLOW_SERVER" : single.server }),
      image: image.reference,
      modelUri: decided?.files ?? address,
      sha256: decided?.sha256,
      answers,
      resources: single.resources,
      startupSeconds: single.startupSeconds,
      environment: single.environment,
      ...(children.length === 0 ? {} : { children: children.map((child) => toNode(child)) }),
    };
  };
  const predictor = (address?: string) => ({ graph: toNode(partOf(model), address) });
  const predictors: PredictorArgs[] = model.predictors?.map((one) => ({
    ...predictor(one.model),
    name: one.name,
    traffic: one.traffic,
    shadow: one.shadow,
    replicas: one.replicas ?? model.replicas,
  })) ?? [{ ...predictor(undefined), name: solePredictor(model), replicas: model.replicas }];
  const served = server.serve(
    name,
    {
      model: name,
      after: [...before, ...answered.values()],
      protocol: protocolOf(model),
      ...(model.grpc === undefined ? {} : { grpc: model.grpc }),
      predictors,
      autoscaling: model.autoscaling,
      minAvailable: model.minAvailable,
    },
    opts,
  );
  return { served, answered };
}

/** Has a version's own libraries answer the example of its input. @param owner whose they are, in parts. */
function computeAnswers(
  owner: readonly string[],
  { resources }: ModelConfig,
  { version = 0, files, sha256, environment }: Served,
  surroundings: ModelSurroundings,
  opts: pulumi.ComponentResourceOptions,
): pulumi.Resource {
  const { namespace, tracking } = surroundings;
  const image = imageOf(environment && mlflowImage(environment), surroundings);
  return new AnswersJob(
    // What no model is named: `a-b` may be one beside the graph `a` with a node `b`.
    `${owner.join("/")}-answers-${version}`,
    {
      ...{ model: owner.join("-"), version, files, sha256, resources, namespace, tracking },
      image: image.reference,
      after: present(image.built),
    },
    opts,
  );
}

/** One of the project's images, or a reference as it is. */
function imageOf(image: string | undefined, { appImages: own }: ModelSurroundings): RunnableImage {
  return own[image ?? ""] ?? { reference: image ?? "" };
}

/** What a class of the project is told, whose answers say which version they are of: the files do not know. */
function versionParameters(
  { image }: ModelConfig,
  address: string | undefined,
  decided: Served | undefined,
): Record<string, string> {
  const takes = servedBy(image)?.serving.parameters ?? {};
  const known = {
    model_name: registryName(address ?? "")?.model,
    model_version: decided?.version?.toString(),
  };
  return Object.fromEntries(
    Object.entries(known).flatMap(([key, value]) =>
      value !== undefined && key in takes ? [[key, value] as const] : [],
    ),
  );
}

/** What serves a version of a model. */
function servingImage(
  { server, image }: ModelConfig,
  decided: Served | undefined,
  { mirror }: PlatformConfig,
  surroundings: ModelSurroundings,
): RunnableImage {
  if (server === undefined) return imageOf(image, surroundings);
  // Where the packages of a prepackaged server are those that the version requires, its image will do.
  if (server === mlflowServer && decided?.environment !== undefined)
    return imageOf(mlflowImage(decided.environment), surroundings);
  return { reference: imageReference(serverImages[server], mirror) };
}

const serverImages = {
  mlflow: images.mlserverMlflow,
  MLFLOW_SERVER: images.mlserverMlflow,
  SKLEARN_SERVER: images.mlserverSklearn,
  XGBOOST_SERVER: images.mlserverXgboost,
} as const;
