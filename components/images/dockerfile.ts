import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";

import { hasOwnServer, manifests } from "../../config/manifests";
import { isMlflowImage } from "../../config/mlflowServer";
import type { AppImageName } from "../../config/models";
import { units } from "../../config/units";

/** The folder that every image is built in, from the project's own; relative, so that it is the same everywhere. */
export const buildContext = "ml-app";

/** The image of the page on which people ask the models. */
export const frontendImage = "frontend";
export const frontendDockerfile = "frontend/Dockerfile";

/** Of the images that serve the models of others. */
const mlflowDockerfile = "mlflow_server/Dockerfile";

const dockerfiles = new Map<AppImageName, string>([
  [frontendImage, frontendDockerfile],
  ...manifests.flatMap((model): [AppImageName, string][] => [
    ...(hasOwnServer(model)
      ? [[model.serving.image, `${model.folder}/serve/Dockerfile`] as [string, string]]
      : []),
    [model.training.image, `${model.folder}/train/Dockerfile`],
  ]),
  ...units.map(({ image, folder }): [string, string] => [image, `${folder}/Dockerfile`]),
]);

/** An image's Dockerfile, below the build context. */
export function dockerfileOf(image: AppImageName): string {
  const found = isMlflowImage(image) ? mlflowDockerfile : dockerfiles.get(image);
  if (found === undefined) throw new Error(`${image} is no image of the project`);
  return found;
}

const contextDir = path.join(__dirname, "..", "..", buildContext);

/**
 * A hash of everything that an image is made of: its Dockerfile, the files that this copies, and its arguments.
 *
 * @returns 12 hexadecimal digits.
 */
export function contentHash(
  image: AppImageName,
  platform: string | undefined,
  buildArgs: Readonly<Record<string, string>>,
): string {
  const dockerfile = dockerfileOf(image);
  const hash = createHash("sha256").update(
    JSON.stringify([platform ?? "", Object.entries(buildArgs).sort()]),
  );
  for (const file of [dockerfile, ...copiedFiles(dockerfile)]) {
    hash.update(`\0${file}\0`).update(readFileSync(path.join(contextDir, file)));
  }
  return hash.digest("hex").slice(0, 12);
}

/** The files of the build context that a Dockerfile copies, sorted. It names files, with `*` in the last part at most. */
export function copiedFiles(dockerfile: string): string[] {
  const text = readFileSync(path.join(contextDir, dockerfile), "utf8");
  // A checkout on Windows may have other ends of lines.
  const lines = text.replaceAll(/\\\r?\n/g, " ").split(/\r?\n/);
  const patterns = lines
    .filter((line) => /^COPY (?!--from)/.test(line))
    .flatMap((line) => line.split(/\s+/).slice(1, -1));
  return [...new Set(patterns.flatMap(filesLike))].sort();
}

function filesLike(pattern: string): string[] {
  const { dir, base } = path.posix.parse(pattern);
  if (!base.includes("*")) return [pattern];
  const [start = "", end = ""] = base.split("*");
  return readdirSync(path.join(contextDir, dir))
    .filter((file) => file.startsWith(start) && file.endsWith(end))
    .map((file) => path.posix.join(dir, file));
}
