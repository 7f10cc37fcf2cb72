/** Which models the local target brings up, and what they are asked. */
import { existsSync } from "node:fs";

import { type Manifest, manifests } from "../../config/manifests";
import { noSuchModel } from "./registered";
import { localDir } from "./state";

/** The models that are brought up where none is named. */
export const defaultModels: readonly Manifest[] = manifests.filter((manifest) => manifest.default);

/** The models that the user has named. */
export interface Chosen {
  /** Those of the project, which are trained here. */
  readonly trained: readonly Manifest[];
  /** Names that the registry may have. */
  readonly registered: readonly string[];
}

/**
 * The models that the user has named.
 *
 * @param names with commas between them, or `all`. @default {@link defaultModels}
 * @param mayBeRegistered whether the registry of this machine may have models of other names.
 * @throws UserError there is no such model.
 */
export function chosenModels(names: string | undefined, mayBeRegistered = hasRegistry()): Chosen {
  if (names === undefined) return { trained: defaultModels, registered: [] };
  if (names.trim() === "all") return { trained: manifests, registered: [] };
  const known = manifests.map(({ name }) => name);
  const asked = new Set(names.split(",").map((name) => name.trim()));
  const unknown = [...asked].filter((name) => !known.includes(name));
  if (unknown.includes("") || (unknown.length > 0 && !mayBeRegistered)) throw noSuchModel(unknown, []);
  return { trained: manifests.filter(({ name }) => asked.has(name)), registered: unknown };
}

/** Whether MLflow has run here: until then nothing is registered. */
function hasRegistry(): boolean {
  return existsSync(localDir("mlflow.db"));
}

/** A row to ask a model of the project for, in the order of its features; undefined if it is somebody else's. */
export function exampleOf(model: string): readonly unknown[] | undefined {
  return manifests.find(({ name }) => name === model)?.example;
}
