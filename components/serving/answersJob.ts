import { createHash } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import { type Checksums, checksumsText, checksumsVariable } from "../../config/checksums";
import type { Resources } from "../../config/fields";
import { runOnce } from "../job";
import { jobRoles } from "../roles";
import type { TrackingServer } from "../tracking/trackingServer";
import type { ModelNamespace } from "./modelNamespace";
import { standardServer } from "./standardServer";

export interface AnswersJobArgs {
  /** Name of the model. */
  model: string;
  /** Number of its version in the registry. */
  version: number;
  /** Where it runs. */
  namespace: ModelNamespace;
  /** Image with the packages that the version requires. */
  image: string;
  /** What has to be there before it, such as the image. */
  after: readonly pulumi.Resource[];
  /** Hands files through, so that no key of the store is needed. */
  tracking: TrackingServer;
  /** `s3://…` folder of the version's files. */
  files: string;
  /**
   * What those must be to be loaded.
   * @default nothing is compared
   */
  sha256?: Checksums | undefined;
  /** Of the container: what serving the model takes. */
  resources: Resources;
}

/** The user of the image. */
const user = 8888;

/**
 * Has a version answer the example of its input by its own libraries, MLflow's `predict` without any server, and puts the
 * answers beside its files. The version's pods are compared with them at each start.
 *
 * It is done once for each version: where the answers are there already, they are kept.
 */
export class AnswersJob extends pulumi.ComponentResource {
  constructor(name: string, args: AnswersJobArgs, opts?: pulumi.ComponentResourceOptions) {
    const { model, version, files: place, tracking, namespace } = args;
    super("mlplatform:serving:AnswersJob", name, { model, version }, opts);
    const { serverFiles: files } = namespace;
    if (files === undefined) throw new Error("a namespace without MLServer has no answers to compute");
    const address = place.replace(`${tracking.artifactLocation}/`, "mlflow-artifacts:/");
    const hash = createHash("sha256")
      .update(JSON.stringify([args.image, place, name]))
      .digest("hex");
    runOnce(
      `${name}-job`,
      {
        namespace: namespace.namespace,
        // The hash is of the whole name; 63 letters fit into the label that Kubernetes makes of a Job's.
        jobName: `${model.slice(0, 43).replace(/-+$/, "")}-answers-${hash.slice(0, 10)}`,
        image: args.image,
        command: ["python", "-W", "ignore", "-m", `${standardServer.package}.expected`, "--at", address],
        env: [
          { name: "HOME", value: "/tmp" },
          { name: "MLFLOW_TRACKING_URI", value: tracking.uri },
          { name: "MLFLOW_DISABLE_TELEMETRY", value: "true" },
          { name: "PYTHONPATH", value: standardServer.at },
          ...(args.sha256 === undefined
            ? []
            : [{ name: checksumsVariable, value: checksumsText(args.sha256) }]),
        ],
        files: { configMap: files.name, at: standardServer.folder },
        user,
        resources: args.resources,
        role: jobRoles.answers,
        // What fails here would fail again; once more for a first connection that network policies refuse.
        retries: 1,
      },
      { parent: this, dependsOn: [...args.after, files.configMap] },
    );
    this.registerOutputs({});
  }
}
