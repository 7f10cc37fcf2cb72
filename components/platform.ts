import * as pulumi from "@pulumi/pulumi";

import type { PlatformConfig } from "../config";
import { undecided } from "../config/decisionChecks";
import { createDatabase } from "./database";
import { createAppImages } from "./images";
import { createModel } from "./models";
import { createNamespaces } from "./namespaces";
import type { NamespaceNames } from "./namespaces/platformNamespaces";
import { createObjectStore } from "./objectStore";
import { createModelNamespace, createModelServer } from "./serving";
import { createTracking } from "./tracking";

/** The platform: which parts it has, and what flows from one to the next. */
export class MlPlatform extends pulumi.ComponentResource {
  public readonly namespaces: NamespaceNames;
  /** MLflow's address inside the cluster. */
  public readonly trackingUri: pulumi.Output<string>;
  /** Address of the S3 store inside the cluster. */
  public readonly objectStoreEndpoint: pulumi.Output<string>;
  /** Where predictions are made, by model and predictor. */
  public readonly models: pulumi.Output<Record<string, Record<string, string>>>;

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
    const decided = config.models.filter((model) => {
      const open = undecided(model, config.decisions);
      if (open.length > 0)
        void pulumi.log.warn(
          `${model.name} is left out: which version ${open.join(" and ")} is, has not been decided yet. ` +
            "npm run models -- update",
          this,
        );
      return open.length === 0;
    });
    const models = decided.map((model) =>
      createModel(model, config, { namespace, tracking, objectStore, server, appImages }, own),
    );

    this.namespaces = names;
    this.trackingUri = tracking.uri;
    this.objectStoreEndpoint = objectStore.endpoint;
    this.models = pulumi
      .all(models.map(({ urls }) => urls))
      .apply((urls) => Object.fromEntries(decided.map((model, index) => [model.name, urls[index] ?? {}])));
    this.registerOutputs({ namespaces: names, trackingUri: this.trackingUri, models: this.models });
  }
}

/** What the policies go by, registered as inputs, where they find it. Not all of the configuration: it holds secrets. */
function forPolicies({ environment, mirror, images, models }: PlatformConfig) {
  return {
    environment,
    mirror,
    images: { registry: images.registry, prebuilt: images.prebuilt },
    models: models.map(({ name, image, training }) => ({
      name,
      image,
      training: { image: training?.image },
    })),
  };
}
