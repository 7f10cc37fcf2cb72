import { parse } from "yaml";

import type { MlflowClient } from "../mlflow";
import { type ServedPredictor, loggedPlace } from "./served";

/** The registered version of which a predictor has the files; undefined if neither they nor the registry say so. */
export async function servedVersion(
  registry: MlflowClient,
  predictor: Pick<ServedPredictor, "modelUri">,
): Promise<string | undefined> {
  const versions = await servedVersions(registry, predictor);
  // Of copies each may be meant.
  return versions?.length === 1 ? versions[0] : undefined;
}

/**
 * The versions that were registered of the files that a predictor has. None if they were deleted from the registry, or
 * never registered; undefined if nobody knows.
 */
export async function servedVersions(
  registry: MlflowClient,
  predictor: Pick<ServedPredictor, "modelUri">,
): Promise<readonly string[] | undefined> {
  const place = loggedPlace(predictor);
  return place === undefined ? undefined : loggedVersions(registry, place).catch(() => undefined);
}

async function loggedVersions(registry: MlflowClient, place: string): Promise<string[] | undefined> {
  const { run_id: run } = (parse(await registry.artifact(`${place}/MLmodel`)) ?? {}) as { run_id?: unknown };
  if (typeof run !== "string") return undefined;
  // A run may have logged several models.
  const places = (await registry.versionsOfRun(run)).map(async (one) => ({
    one,
    at: await registry.placeOf(one),
  }));
  return (await Promise.all(places)).filter(({ at }) => at === place).map(({ one }) => one.version);
}

/**
 * What a predictor runs, for people: by the version in the registry, as status calls it too, and by the hash only where
 * nothing else is known. Empty if the platform has not made it.
 */
export function versionInWords(
  registered: string | undefined,
  { version: hash }: Pick<ServedPredictor, "version">,
): string {
  if (registered !== undefined) return `version ${registered}`;
  return hash === "" ? "" : `hash ${hash}`;
}
