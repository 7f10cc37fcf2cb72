/** What keeps its name in a review and yet gets another content: images, and files that are mounted. */
import * as path from "node:path";

import { buildContext, copiedFiles, dockerfileOf } from "../../components/images/dockerfile";
import { standardServer } from "../../components/serving/standardServer";
import { at, text } from "../../policy/rules/values";
import type { Recording } from "../plan/recording";

const appImage = "mlplatform:images:AppImage";
const configMap = "kubernetes:core/v1:ConfigMap";

/**
 * The images that are built anew, and the servers whose files are renewed. Their hashes are left out of golden files, since
 * each line of Python would else change those of all stacks.
 *
 * @param changed files of the project.
 */
export function renewed({ resources }: Recording, changed: ReadonlySet<string>): string[] {
  const isChanged = (file: string) => changed.has(path.posix.join(buildContext, file));
  const images = resources
    .filter(({ type }) => type === appImage)
    .flatMap(({ inputs }) => text(inputs["image"]) ?? [])
    .filter((image) => {
      const dockerfile = dockerfileOf(image);
      return [dockerfile, ...copiedFiles(dockerfile)].some(isChanged);
    })
    .map((image) => `image ${image}`);
  const servers = resources
    .filter(({ type, inputs }) => type === configMap && at(inputs, "data", "guard.py") !== undefined)
    .filter(({ inputs }) =>
      Object.keys(inputs["data"] as object).some((file) => isChanged(`${standardServer.package}/${file}`)),
    )
    .map(({ name }) => `files ${name}`);
  return [...new Set([...images, ...servers])].sort();
}
