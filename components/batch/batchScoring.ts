import { createHash } from "node:crypto";

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { type AnswersUse, answersVariable } from "../../config/answers";
import { type Checksums, checksumsText, checksumsVariable } from "../../config/checksums";
import { bytes, type Resources } from "../../config/fields";
import { jobSpec } from "../job";
import { fromSecret, ownership } from "../kubernetes";
import { type ObjectStore, storeVariables } from "../objectStore/objectStore";
import { present } from "../present";
import { jobRoles, roleLabel } from "../roles";
import type { ModelNamespace } from "../serving/modelNamespace";
import type { TrackingServer } from "../tracking/trackingServer";
import { versioned } from "./addresses";
import { scheduleZone } from "./schedule";
import type { ScoringCode } from "./scoringCode";

/** Where it runs, and what it asks. */
export interface BatchSurroundings {
  readonly namespace: ModelNamespace;
  /** Hands out the version's files, so that no key of their bucket is needed. */
  readonly tracking: TrackingServer;
  /** Where the table lies and the scores go. */
  readonly objectStore: ObjectStore;
}

export interface BatchScoringArgs extends BatchSurroundings {
  /** Name of the Job or CronJob. */
  readonly name: string;
  /** Name of the model. */
  readonly model: string;
  /** Package of the model: `house_price`. @default it is one that others have logged */
  readonly package?: string | undefined;
  /** Image with the packages that the version was made with: that of its training, which has the code that scores, too. */
  readonly image: string;
  /** The code that scores, where the image has none. @default the image has it */
  readonly code?: ScoringCode | undefined;
  /** What has to be there before it, such as the image. */
  readonly after: readonly pulumi.Resource[];
  /** Number of the version in the registry. @default none is known yet, in a preview */
  readonly version?: number | undefined;
  /** `s3://…` folder of the version's files. */
  readonly files: string;
  /** What those must be to be loaded. @default nothing is compared */
  readonly sha256?: Checksums | undefined;
  /** What it does with what its own libraries answer to its example. @default it is compared with that, if that is there */
  readonly answers?: AnswersUse | undefined;
  /** `s3://bucket/key` of the table, and of the scores. */
  readonly input: string;
  readonly output: string;
  /** Five fields of cron, in UTC. @default it is scored once */
  readonly schedule?: string | undefined;
  /** How many pods share the table. */
  readonly pods: number;
  readonly resources: Resources;
  /** Disk of each pod. */
  readonly room: string;
  /** How often the pod of each share may fail. */
  readonly retries: number;
  readonly timeoutMinutes: number;
}

/** The user of the image. */
const user = 8888;
/** What the command ends with where the table or the output is wrong: it would be wrong again. */
const wrongExit = 2;
const command = ["python", "-m", "batch"];
const codeFolder = "/opt/mlplatform";

/**
 * Scores a table in a bucket by a version of a model: once, or at the times of a schedule.
 *
 * The pods are told which of them they are, and each scores every so many pieces; whoever finds all of them there puts them
 * together. One that goes, for whatever reason, is replaced and goes on where it was.
 */
export class BatchScoring extends pulumi.ComponentResource {
  constructor(name: string, args: BatchScoringArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:batch:BatchScoring", name, { table: args.name, model: args.model }, opts);
    const own = { parent: this, dependsOn: [...args.after] };
    const spec = this.spec(args);
    if (args.schedule === undefined) this.createJob(name, args, spec, own);
    else this.createCronJob(name, args, spec, args.schedule, own);
    this.registerOutputs({});
  }

  /** Another version, table or image is another Job. It goes on where one that was taken away has been. */
  private createJob(
    name: string,
    args: BatchScoringArgs,
    spec: k8s.types.input.batch.v1.JobSpec,
    opts: pulumi.CustomResourceOptions,
  ): void {
    const said = [args.image, args.files, args.input, args.output, args.pods, ...present(args.code?.name)];
    const hash = createHash("sha256").update(JSON.stringify(said)).digest("hex").slice(0, 10);
    const annotations = {
      // It may take hours; `npm run status` tells of it.
      "pulumi.com/skipAwait": "true",
      // One that has failed begins again with the next `up`.
      "pulumi.com/replaceUnready": "true",
    };
    const metadata = { ...metadataOf(args), name: `${args.name}-${hash}`, annotations };
    new k8s.batch.v1.Job(`${name}-job`, { metadata, spec }, opts);
  }

  private createCronJob(
    name: string,
    args: BatchScoringArgs,
    spec: k8s.types.input.batch.v1.JobSpec,
    schedule: string,
    opts: pulumi.CustomResourceOptions,
  ): void {
    const metadata = metadataOf(args);
    new k8s.batch.v1.CronJob(
      `${name}-cron-job`,
      {
        metadata,
        spec: {
          schedule,
          timeZone: scheduleZone,
          concurrencyPolicy: "Forbid",
          // A cluster that was down does not catch up with what is long past.
          startingDeadlineSeconds: 3600,
          successfulJobsHistoryLimit: 3,
          failedJobsHistoryLimit: 3,
          jobTemplate: { metadata: { labels: metadata.labels }, spec },
        },
      },
      opts,
    );
  }

  private spec(args: BatchScoringArgs): k8s.types.input.batch.v1.JobSpec {
    const { pods, tracking } = args;
    const { batchSecret } = args.namespace;
    if (batchSecret === undefined) throw new Error("the namespace has no keys for scoring");
    const fromPod = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
    const one = jobSpec({
      image: args.image,
      command,
      args: [
        ...[...present(args.package), "--name", args.model, "--version", String(args.version ?? "")],
        ...["--files", args.files.replace(`${tracking.artifactLocation}/`, "mlflow-artifacts:/")],
        ...["--input", args.input, "--output", versioned(args.output, args.version)],
        ...["--worker", "$(WORKER)", "--workers", String(pods), "--run", "$(RUN)"],
        // What is left is for scores in Parquet, which take less than their table.
        ...["--room", String(Math.floor(bytes(args.room) / 2))],
      ],
      env: [
        fromPod("WORKER", "metadata.annotations['batch.kubernetes.io/job-completion-index']"),
        fromPod("RUN", "metadata.labels['batch.kubernetes.io/job-name']"),
        { name: "MLFLOW_TRACKING_URI", value: tracking.uri },
        { name: "MLFLOW_DISABLE_TELEMETRY", value: "true" },
        ...(args.code === undefined
          ? []
          : [
              { name: "HOME", value: "/tmp" },
              { name: "PYTHONPATH", value: codeFolder },
            ]),
        ...present(args.answers).map((value) => ({ name: answersVariable, value })),
        ...Object.entries(storeVariables(args.objectStore)).map(([name, value]) => ({ name, value })),
        fromSecret("AWS_ACCESS_KEY_ID", batchSecret, "AWS_ACCESS_KEY_ID"),
        fromSecret("AWS_SECRET_ACCESS_KEY", batchSecret, "AWS_SECRET_ACCESS_KEY"),
        ...(args.sha256 === undefined
          ? []
          : [{ name: checksumsVariable, value: checksumsText(args.sha256) }]),
      ],
      ...(args.code && { files: { configMap: args.code.name, at: codeFolder, paths: args.code.paths } }),
      user,
      resources: args.resources,
      role: jobRoles.batch,
      room: args.room,
      retries: args.retries,
      timeoutMinutes: args.timeoutMinutes,
    });
    // Pods of one share that fail keep no other share waiting, as they would if all were counted together.
    const { backoffLimit: backoffLimitPerIndex, ...rest } = one;
    return {
      ...rest,
      backoffLimitPerIndex,
      completionMode: "Indexed",
      completions: pods,
      parallelism: pods,
      podFailurePolicy: {
        rules: [
          { action: "FailJob", onExitCodes: { operator: "In", values: [wrongExit] } },
          // A node that is drained is nobody's failure.
          { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
        ],
      },
    };
  }
}

function metadataOf({ name, model, namespace }: BatchScoringArgs) {
  const labels = {
    ...ownership,
    [roleLabel]: jobRoles.batch,
    "app.kubernetes.io/name": name,
    "mlplatform/model": model,
  };
  return { name, namespace: namespace.namespace, labels };
}
