/** Which models the local target brings up, and what they are asked. */
import { type Manifest, manifests } from "../../config/manifests";
import { nearest } from "../../config/words";
import { UserError } from "../errors";

/** The models that are brought up where none is named. */
export const defaultModels: readonly Manifest[] = manifests.filter((manifest) => manifest.default);

/**
 * The models that the user has named.
 *
 * @param names with commas between them, or `all`. @default {@link defaultModels}
 * @throws UserError there is no such model.
 */
export function chosenModels(names: string | undefined): readonly Manifest[] {
  if (names === undefined) return defaultModels;
  if (names.trim() === "all") return manifests;
  const known = manifests.map(({ name }) => name);
  const asked = new Set(names.split(",").map((name) => name.trim()));
  const unknown = [...asked].filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const told = unknown.map((name) => {
      const meant = nearest(name, known);
      return `${JSON.stringify(name)}${meant === undefined ? "" : ` (did you mean ${meant}?)`}`;
    });
    throw new UserError(
      `--models: there is no model ${told.join(", ")}. There are ${known.join(", ")}; or say all.`,
    );
  }
  return manifests.filter(({ name }) => asked.has(name));
}

/** A row to ask a model of the project for, in the order of its features; undefined if it is somebody else's. */
export function exampleOf(model: string): readonly unknown[] | undefined {
  return manifests.find(({ name }) => name === model)?.example;
}
