import * as path from "node:path";

import type { Output } from "@pulumi/pulumi";

import type { PlatformConfig } from "../../config";
import { copiesFolder } from "../../components/objectStore/objectStore";
import { imageReference, images } from "../../pins";
import { Refused } from "../cluster/cluster";
import { NoAnswer, askFromPod } from "../cluster/probe";
import { projectDir } from "../paths";
import type { Recording } from "../plan/recording";
import type { Step } from "../progress";
import type { ClusterTarget } from "../target";
import { type Finding, warning } from "../../finding";
import { type StoreFact, type StorePlaces, storeProblems } from "./storeProblems";

/** The image may have to be pulled first; the platform pulls it anyway. */
const patienceSeconds = 240;
const scripts = [
  path.join(__dirname, "stores.py"),
  // Knows the words of a database that refuses.
  path.join(projectDir, "components", "tracking", "migration.py"),
] as const;
const outside = ["mlplatform:database:ExternalDatabase", "mlplatform:objectStore:ExternalS3"];

/** Whether a stack keeps its runs or its files outside of the cluster. */
export function hasOutsideStores({ resources }: Pick<Recording, "resources">): boolean {
  return resources.some(({ type }) => outside.includes(type));
}

/**
 * Asks the database and the store outside of the cluster what the platform will ask of them, from a pod of the cluster:
 * the way there, the log-in, the database and its schema, the buckets, the rights of the users.
 *
 * The pod is in a namespace of its own, where none of the platform's network policies hold: these are not asked about.
 *
 * @param config with its secrets in plain text.
 * @returns all that is wrong. That they cannot be asked is a warning.
 */
export async function askStores(
  { cluster, stack }: Pick<ClusterTarget, "cluster" | "stack">,
  config: PlatformConfig,
  step: Step,
  signal: AbortSignal,
): Promise<Finding[]> {
  const question = await questionFrom(config);
  const image = imageReference(images.mlflow, config.mirror);
  const probe = { image, scripts, question, patience: patienceSeconds };
  try {
    const { facts } = (await askFromPod(cluster, probe, step, signal)) as { facts: StoreFact[] };
    return storeProblems(facts, question, stack);
  } catch (cause) {
    if (!(cause instanceof NoAnswer || cause instanceof Refused)) throw cause;
    return [
      warning(
        `the database and the store outside of the cluster could not be asked from there: ${cause.message.replace(/\.$/, "")}`,
        "Go on if they are known to be well",
      ),
    ];
  }
}

/** What the script is asked: as the configuration says, with the secrets. */
async function questionFrom({ database, objectStore }: PlatformConfig): Promise<StorePlaces> {
  const places: { -readonly [Key in keyof StorePlaces]: StorePlaces[Key] } = {};
  if (database.kind === "external") {
    const secrets = { password: await known(database.password) };
    places.database = { ...database, ...secrets };
  }
  if (objectStore.kind === "external") {
    const users: Record<string, object> = {};
    for (const [name, keys] of Object.entries(objectStore.users))
      if (keys !== undefined)
        users[name] = { accessKeyId: keys.accessKeyId, secretAccessKey: await known(keys.secretAccessKey) };
    const secrets = { users };
    places.store = { ...objectStore, endpoint: objectStore.endpoint ?? "", copiesFolder, ...secrets };
  }
  return places;
}

function known<T>(value: Output<T>): Promise<T> {
  return new Promise((resolve) => value.apply(resolve));
}
