import { setImmediate } from "node:timers/promises";

import * as pulumi from "@pulumi/pulumi";

import type { PlatformConfig } from "../config";
import { undecided, wishesOf } from "../config/decisionChecks";
import { partsOf } from "../config/graph";
import type { ModelConfig } from "../config/models";
import { createBatch } from "./batch";
import { createDatabase } from "./database";
import { createFrontend } from "./frontend";
import { createAppImages } from "./images";
import { type InService, type ModelSurroundings, serveModel, trainModel } from "./models";
import { createNamespaces } from "./namespaces";
import type { NamespaceNames } from "./namespaces/platformNamespaces";
import { createObjectStore } from "./objectStore";
import { createModelNamespace, createModelServer } from "./serving";
import type { ModelUrls } from "./serving/modelServer";
import { createTracking } from "./tracking";

/** The platform: which parts it has, and what flows from one to the next. */
export class MlPlatform extends pulumi.ComponentResource {
  public readonly namespaces: NamespaceNames;
  /** MLflow's address inside the cluster. */
  public readonly trackingUri: pulumi.Output<string>;
  /** Address of the S3 store inside the cluster. */
  public readonly objectStoreEndpoint: pulumi.Output<string>;
  /** Where predictions are made, by model. */
  public readonly models: pulumi.Output<Record<string, ModelUrls>>;

  constructor(name: string, config: PlatformConfig, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:platform:MlPlatform", name, forPolicies(config), opts);
    const own = { parent: this };

    const { names } = createNamespaces(`${name}-namespaces`, config, own);
    const database = createDatabase(`${name}-database`, config, names.database, own);
    const objectStore = createObjectStore(`${name}-object-store`, config, names.objectStore, own);
    const tracking = createTracking(
      `${name}-tracking`,
      config,
      { namespace: names.tracking, database, objectStore },
      own,
    );
    const namespace = createModelNamespace(`${name}-models`, config, names.models, objectStore, own);
    const server = createModelServer(
      `${name}-serving`,
      config,
      { namespace: names.servingOperator, models: namespace },
      own,
    );
    const appImages = createAppImages(`${name}-images`, config, own);
    const surroundings = { namespace, tracking, objectStore, server, appImages };
    const trained = new Set(config.models.filter(({ training }) => training !== undefined).flatMap(wishesOf));
    const decided = config.models.filter((model) => this.isDecided(model, config, trained));
    const models = this.createModels(config, decided, surroundings, own).then((inService) => {
      const answered = new Map([...inService].map(([model, { answered }]) => [model, answered]));
      createBatch(`${name}-batch`, config, { ...surroundings, models: decided, answered }, own);
      return inService;
    });
    createFrontend(
      `${name}-frontend`,
      config,
      { namespace: names.frontend, appImages, models: decided },
      own,
    );

    this.namespaces = names;
    this.trackingUri = tracking.uri;
    this.objectStoreEndpoint = objectStore.endpoint;
    this.models = pulumi.output(
      models.then((inService) =>
        Object.fromEntries([...inService].map(([model, { served }]) => [model, served.urls])),
      ),
    );
    this.registerOutputs({ namespaces: names, trackingUri: this.trackingUri, models: this.models });
  }

  /**
   * Trains the models, and serves those that are decided.
   *
   * One in a turn of the event loop: of all that is asked for in one turn the SDK does each step before the next, and
   * holds what a thousand models take until the last of them is done.
   *
   * @returns what is in service, by model.
   */
  private async createModels(
    config: PlatformConfig,
    decided: readonly ModelConfig[],
    surroundings: ModelSurroundings,
    opts: pulumi.ComponentResourceOptions,
  ): Promise<ReadonlyMap<string, InService>> {
    const inService = new Map<string, InService>();
    for (const model of config.models) {
      trainModel(model, surroundings, opts);
      if (decided.includes(model)) inService.set(model.name, serveModel(model, config, surroundings, opts));
      await setImmediate();
    }
    return inService;
  }

  /**
   * Whether it is known which version a model serves; says which, or that it is not.
   *
   * @param trained what all models of the stack that are trained wish for: a graph may be made of models beside it.
   */
  private isDecided(
    model: ModelConfig,
    { decisions }: PlatformConfig,
    trained: ReadonlySet<string>,
  ): boolean {
    const wishes = wishesOf(model);
    for (const wish of wishes) {
      const version = decisions[wish]?.version;
      if (version !== undefined) void pulumi.log.info(`${model.name}: ${wish} is version ${version}.`, this);
    }
    const assumed = wishes.filter((wish) => decisions[wish]?.version === undefined);
    if (assumed.length === 0) return true;
    const open = undecided(model, decisions);
    const what = `which version ${assumed.join(" and ")} is`;
    const isTrained = assumed.every((wish) => trained.has(wish));
    if (open.length === 0)
      void pulumi.log.info(
        `${model.name}: ${what}, is decided ${isTrained ? "after its training" : "by npm run models -- update"}.`,
        this,
      );
    else
      void pulumi.log.warn(
        `${model.name} is left out: ${what}, has not been decided yet. ` +
          (isTrained ? "npm run up does that after its training." : "Decide: npm run models -- update"),
        this,
      );
    return open.length === 0;
  }
}

/** What the policies go by, registered as inputs, where they find it. Not all of the configuration: it holds secrets. */
function forPolicies({ environment, mirror, images, models }: PlatformConfig) {
  return {
    environment,
    mirror,
    images: { registry: images.registry, prebuilt: images.prebuilt },
    // Of a graph, each node.
    models: models.flatMap(partsOf).map(({ model: { name, image, training } }) => ({
      name,
      image,
      training: { image: training?.image },
    })),
  };
}
