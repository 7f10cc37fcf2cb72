/** The files that the manifests stand in, made, written and compared. */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { stringify } from "yaml";

import {
  type Manifest,
  argocdManifests,
  clusterManifests,
  healthManifests,
  stackManifests,
} from "./manifests";
import type { Request } from "./request";

/** Before the line that makes the files, at the top of each. */
export const mark = "# Made by: ";
/** The file whose line counts. */
export const first = "argo-cd.yaml";

/** Kubernetes and Argo CD read YAML 1.1, in which a stack that is called `no` is false. */
const form = { lineWidth: 0, aliasDuplicateObjects: false, compat: "yaml-1.1" } as const;

/**
 * Texts of the files, by their paths in the folder.
 *
 * @param line what makes them.
 * @param folder their folder, in the repository.
 */
export function filesOf(request: Request, line: string, folder: string): ReadonlyMap<string, string> {
  const text = (manifests: readonly Manifest[]) =>
    `${mark}${line}\n# Run it again after a change; what is written here by hand is lost.\n` +
    manifests.map((manifest) => stringify(manifest, form)).join("---\n");
  return new Map([
    [first, text(argocdManifests(request, folder))],
    ["health.yaml", text(healthManifests())],
    ...request.deliveries.flatMap((delivery) => [
      [`clusters/${delivery.stack}.yaml`, text(clusterManifests(delivery))] as const,
      [`stacks/${delivery.stack}/stack.yaml`, text(stackManifests(request, delivery))] as const,
    ]),
  ]);
}

/** What is in the folder and was made, by its path in it. */
function madeIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".yaml"))
    .filter((file) => readFileSync(path.join(folder, file), "utf8").startsWith(mark))
    .map((file) => file.split(path.sep).join("/"));
}

/** Writes the files, and removes those that were made and are none any more. */
export function writeFiles(folder: string, files: ReadonlyMap<string, string>): void {
  for (const file of madeIn(folder)) if (!files.has(file)) rmSync(path.join(folder, file));
  for (const [file, text] of files) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }
}

/** What is not as it would be made: a sentence for each file. */
export function differences(folder: string, files: ReadonlyMap<string, string>): string[] {
  const missing = [...files].flatMap(([file, text]) => {
    const place = path.join(folder, file);
    if (!existsSync(place)) return [`${file} is missing`];
    return readFileSync(place, "utf8") === text ? [] : [`${file} is not what its line makes`];
  });
  const more = madeIn(folder).filter((file) => !files.has(file));
  return [...missing, ...more.map((file) => `${file} is made by nothing any more`)];
}
