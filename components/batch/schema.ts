import * as z from "zod";

import { s3Object } from "../../config/addresses";
import type { Understood } from "../../config/checks";
import { servedOf } from "../../config/decisionChecks";
import { type ByEnvironment, dnsLabel, resources, storageSize } from "../../config/fields";
import type { Mistake } from "../../config/mistakes";
import { bucketsOf } from "../../config/modelChecks";
import { registryName } from "../../config/registryNames";
import type { StackConfig } from "../../config/schema";
import { listed, nearest } from "../../config/words";
import { dated, marks, mayMeet, versioned } from "./addresses";
import { nextRuns, schedule } from "./schedule";

/** Tables that are scored. */
export const batch = (by: ByEnvironment) =>
  z
    .array(
      z.strictObject({
        name: dnsLabel(40).describe("name of the Job or CronJob"),
        model: dnsLabel(40).describe("name of the model; its version in service scores"),
        input: s3Object.describe(
          "the table, CSV or Parquet, in the bucket of the data sets; `{date}` and `{time}` stand for when a schedule began it",
        ),
        output: s3Object.describe(
          "the file for the scores, `.csv` or `.parquet`, in the bucket of the predictions; `{version}` stands for the model's " +
            "version, `{date}` and `{time}` as above",
        ),
        schedule: schedule
          .optional()
          .describe("when it is scored, in UTC, such as `0 2 * * *`; once for each version if left out"),
        pods: z.int().min(1).max(100).default(1).describe("how many pods share the table"),
        resources: resources(
          by({
            dev: { cpu: "250m", memory: "512Mi", memoryLimit: "1Gi" },
            staging: { cpu: "500m", memory: "512Mi", memoryLimit: "1Gi" },
            prod: { cpu: "1", memory: "1Gi", memoryLimit: "1Gi" },
          }),
        ),
        room: storageSize
          .default(by({ dev: "2Gi", staging: "10Gi", prod: "20Gi" }))
          .describe(
            "disk of each pod for a copy of the table, and for scores in Parquet; a larger table is refused",
          ),
        retries: z.int().min(0).max(100).default(6).describe("how often the pod of each share may fail"),
        timeoutMinutes: z.int().min(1).max(10_080).default(360).describe("minutes after which it is ended"),
      }),
    )
    .default([])
    .describe("tables that are scored, each by a model in service");

/** A schedule may have two runs on one day, and on that day of the week alone. */
const runsLookedAt = 50;

type Batch = StackConfig["batch"][number];
export type { Batch as BatchTable };

/** What of the tables does not fit together. */
export function checkBatch(config: Understood): Mistake[] {
  const { batch: jobs = [], models, objectStore } = config;
  const outputs = jobs.map((job) => (job === undefined ? "" : outputOf(job, models)));
  const own = jobs.flatMap((job, index) => {
    if (job === undefined) return [];
    const at = (key: string, message: string): Mistake => ({ path: ["batch", index, key], message });
    return [
      ...checkModel(job, models, at),
      ...checkAddresses(job, models, at),
      ...(objectStore === undefined ? [] : checkBuckets(job, objectStore, at)),
      ...checkTwins(jobs, outputs, index, at),
    ];
  });
  const isElsewhere = objectStore?.kind === "external" && jobs.length > 0;
  if (!isElsewhere || objectStore.users.batch !== undefined) return own;
  const message =
    "is missing: batch has tables to score, by a user who may read the bucket of the data sets and write that of the predictions";
  return [...own, { path: ["objectStore", "users", "batch"], message }];
}

type At = (key: string, message: string) => Mistake;

function checkModel({ model: name }: Batch, models: Understood["models"], at: At): Mistake[] {
  // One that is wrong itself may be the one that is meant.
  if (models === undefined || models.includes(undefined)) return [];
  const model = models.find((one) => one?.name === name);
  const known = models.flatMap((one) => one?.name ?? []);
  if (model === undefined) {
    const near = nearest(name, known);
    const hint = near === undefined ? `there are: ${listed(known) || "none"}` : `did you mean ${near}`;
    return [at("model", `is "${name}", which is not among the models; ${hint}`)];
  }
  const wish = servedOf(model);
  if (model.graph !== undefined)
    return [
      at(
        "model",
        `is "${name}", a graph of units: a table is scored by a model alone, so name one of its own`,
      ),
    ];
  if (wish === undefined || registryName(wish) === undefined)
    return [
      at(
        "model",
        `is "${name}", which serves ${wish ?? "what its image holds"}: only versions of the registry score tables`,
      ),
    ];
  return [];
}

function checkAddresses(
  { input, output, schedule: when, model: name }: Batch,
  models: Understood["models"],
  at: At,
) {
  const mistakes: Mistake[] = [];
  if (!/\.(csv|parquet)$/i.test(output))
    mistakes.push(at("output", `is "${output}": name a file that ends with .csv or .parquet`));
  for (const [key, address, allowed] of [
    ["input", input, when === undefined ? [] : ["date", "time"]],
    ["output", output, when === undefined ? ["version"] : ["version", "date", "time"]],
  ] as const) {
    const strange = marks(address).find((mark) => !(allowed as readonly string[]).includes(mark));
    if (strange === undefined) continue;
    const known = listed(allowed.map((mark) => `{${mark}}`));
    const instead = ["", `; there is ${known}`][allowed.length] ?? `; there are ${known}`;
    const hint = when === undefined && ["date", "time"].includes(strange) ? ", since it has no schedule" : "";
    mistakes.push(at(key, `has {${strange}} in it, which stands for nothing${hint}${instead}`));
  }
  if (input === output) mistakes.push(at("output", "is the table itself: name another file for its scores"));
  if (mistakes.length > 0) return mistakes;
  const wish = versionOf(name, models);
  const changes = wish !== undefined && wish.version === undefined;
  if (when === undefined && changes && !marks(output).includes("version"))
    mistakes.push(
      at(
        "output",
        "needs {version} in it: the next version of the model would find the scores of this one there",
      ),
    );
  if (when !== undefined && areRepeated(nextRuns(when, runsLookedAt).map((time) => dated(output, time))))
    mistakes.push(
      at(
        "output",
        `is "${output}", the same file in two runs of the schedule, of which the second would find the scores of the first: ` +
          "put {time} into it",
      ),
    );
  return mistakes;
}

/** The file for the scores of a table, with the version of the model in it where that is always the same. */
function outputOf({ output, model }: Batch, models: Understood["models"]): string {
  return versioned(output, versionOf(model, models)?.version);
}

/** Which version of the registry a model serves; undefined where it is none, or where nobody knows the model. */
function versionOf(name: string, models: Understood["models"]) {
  const model = models?.find((one) => one?.name === name);
  return registryName((model && servedOf(model)) ?? "");
}

function areRepeated(addresses: readonly string[]): boolean {
  return new Set(addresses).size < addresses.length;
}

function checkBuckets(
  { input, output }: Batch,
  objectStore: NonNullable<Understood["objectStore"]>,
  at: At,
): Mistake[] {
  const { dataBucket, predictionBucket } = bucketsOf(objectStore);
  const bucket = (address: string) => address.split("/")[2] ?? "";
  return [
    ...(bucket(input) === dataBucket
      ? []
      : [at("input", `is in bucket "${bucket(input)}", and scoring may read "${dataBucket}" only`)]),
    ...(bucket(output) === predictionBucket
      ? []
      : [at("output", `is in bucket "${bucket(output)}", and scoring may write "${predictionBucket}" only`)]),
  ];
}

function checkTwins(
  jobs: readonly (Batch | undefined)[],
  outputs: readonly string[],
  index: number,
  at: At,
): Mistake[] {
  const job = jobs[index];
  const own = outputs[index];
  if (job === undefined || own === undefined) return [];
  const name = jobs.findIndex((one) => one?.name === job.name);
  const output = outputs.findIndex((other, place) => place < index && mayMeet(own, other));
  const isSame = outputs[output] === own;
  const how = isSame
    ? `as that of batch[${output}] is`
    : `which may be the same file as that of batch[${output}]`;
  return [
    ...(name < index ? [at("name", `is "${job.name}", as that of batch[${name}] is: they must differ`)] : []),
    ...(output >= 0 ? [at("output", `is "${job.output}", ${how}: they must differ`)] : []),
  ];
}
