/** Tells the front end's page which models are in service: a file, which it reads whenever somebody looks. */
import { localHost } from "../ports";
import { writeWhole } from "../wholeFile";
import { type LocalModel, localDir } from "./state";

/** The file that the page reads; `ml-app/frontend/listed.py` says what stands in it. */
export const listedFile = () => localDir("frontend", "models.json");

/** Has the page list these models, and no others. */
export function listModels(models: readonly LocalModel[]): void {
  const inOrder = [...models].sort((one, other) => (one.name < other.name ? -1 : 1));
  const listed = inOrder.map(({ name, protocol, rest, version, score }) => ({
    ...{ name, protocol, address: `http://${localHost}:${rest}`, unit: name, version },
    ...(score && { score }),
  }));
  writeWhole(listedFile(), JSON.stringify({ models: listed }, undefined, 2));
}
