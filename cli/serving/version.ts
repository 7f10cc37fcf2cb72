import { parse } from "yaml";

import type { MlflowClient } from "../mlflow";
import { type ServedPredictor, publishedPlace } from "./served";

/** The registered version of which a predictor has the files, as they say themselves; undefined if they do not. */
export async function servedVersion(
  registry: MlflowClient,
  predictor: Pick<ServedPredictor, "modelUri">,
): Promise<string | undefined> {
  const place = publishedPlace(predictor);
  if (place === undefined) return undefined;
  const registered = await registry.artifact(`${place}/registered_model_meta`).catch(() => undefined);
  const { model_version: version } = (parse(registered ?? "") ?? {}) as { model_version?: unknown };
  return typeof version === "string" || typeof version === "number" ? String(version) : undefined;
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
