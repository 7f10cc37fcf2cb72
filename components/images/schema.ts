import * as z from "zod";

import { imageRef, like, registry, variableName } from "../../config/fields";
import { type AppImageName, appImages, type ModelConfig } from "../../config/models";
import type { Mistake } from "../../config/mistakes";
import type { StackConfig } from "../../config/schema";

/** How the project's own images are built, and where they go. */
export const images = z
  .strictObject({
    registry: registry
      .optional()
      .describe("where built images are pushed; without it they stay in the local Docker daemon"),
    platform: z
      .enum(["linux/amd64", "linux/arm64"])
      .optional()
      .describe("platform to build for; the daemon's own if left out"),
    daemonPlatform: like(/^[a-z0-9]+\/[a-z0-9]+$/, "a platform of Docker, such as `linux/arm64`")
      .optional()
      .describe("the platform of the Docker daemon that builds; `npm run up` asks it"),
    network: z.enum(["default", "host"]).default("default").describe("network while building"),
    buildArgs: z
      .record(variableName, z.string())
      .default({})
      .describe("further build arguments, such as `PIP_INDEX_URL`; no secrets"),
    prebuilt: z
      .partialRecord(z.enum(appImages), imageRef)
      .default({})
      .describe("images that are built elsewhere, by name; these are not built"),
  })
  .prefault({})
  .describe("the project's own images");

/** What is known of a configuration, as far as images go. */
type Known = Partial<Pick<StackConfig, "environment" | "images">> & {
  readonly models?: readonly (ModelConfig | undefined)[] | undefined;
};

/** Images that stay in a Docker daemon reach a cluster on the same machine only. */
export function checkImages({ environment, images, models }: Known): Mistake[] {
  if (images === undefined) return [];
  const problems: Mistake[] = [];
  if (images.buildArgs["PYTHON_IMAGE"] !== undefined)
    problems.push({
      path: ["images", "buildArgs", "PYTHON_IMAGE"],
      message: "is set by the platform: leave it out; mirror says where it is taken from",
    });
  if (environment === undefined || environment === "dev" || images.registry !== undefined) return problems;
  const built = imagesInUse(models ?? []).filter((name) => images.prebuilt[name] === undefined);
  if (built.length > 0)
    problems.push({
      path: ["images", "registry"],
      message:
        `is missing: ${built.join(" and ")} would stay in the local Docker daemon, out of reach of ${environment}. ` +
        "Name a registry to push to, or the built images under images.prebuilt",
    });
  return problems;
}

/** The project's own images that some model needs. */
export function imagesInUse(models: readonly (ModelConfig | undefined)[]): AppImageName[] {
  const used = new Set(models.flatMap((model) => [model?.image, model?.training?.image]));
  return appImages.filter((name) => used.has(name));
}
