import * as z from "zod";

import { computesAnswers } from "../../config/answers";
import { type Served, filesNamed, servedOf } from "../../config/decisionChecks";
import { partsOf } from "../../config/graph";
import { imageRef, like, registry, text, variableName } from "../../config/fields";
import { isMlflowImage, mlflowImage, mlflowServer, scoringEnvironment } from "../../config/mlflowServer";
import { type AppImageName, appImages, type ModelConfig } from "../../config/models";
import type { Mistake } from "../../config/mistakes";
import { type Scoring, othersScoring } from "../../config/scoring";
import { nearest } from "../../config/words";
import type { StackConfig } from "../../config/schema";
import { frontendImage } from "./dockerfile";

/** All images that the project builds, but for those of other models' packages. */
const builtImages: readonly AppImageName[] = [...appImages, frontendImage];

/** Tells the Dockerfile of {@link mlflowServer} which packages the image has. */
const packagesArgument = "PACKAGES";

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
      .record(
        text("an image of the project", (name) =>
          builtImages.includes(name) || isMlflowImage(name) ? undefined : unknownImage(name),
        ),
        imageRef,
      )
      .default({})
      .describe("images that are built elsewhere, by name; these are not built"),
  })
  .prefault({})
  .describe("the project's own images");

function unknownImage(name: string): string {
  const meant = nearest(name, builtImages);
  return meant === undefined
    ? `is not known; known are ${builtImages.join(", ")}, and mlflow-server-… as a preview names it`
    : `is not known; did you mean ${meant}?`;
}

/** What is known of a configuration, as far as images go. */
type Known = Partial<Pick<StackConfig, "environment" | "frontend" | "images">> & {
  readonly batch?: Scoring["batch"];
  readonly models?: readonly (ModelConfig | undefined)[] | undefined;
};

/** Images that stay in a Docker daemon reach a cluster on the same machine only. */
export function checkImages(
  { batch, environment, frontend, images, models }: Known,
  decisions: Readonly<Record<string, Served>>,
): Mistake[] {
  if (images === undefined) return [];
  const problems: Mistake[] = [];
  if (images.buildArgs["PYTHON_IMAGE"] !== undefined)
    problems.push({
      path: ["images", "buildArgs", "PYTHON_IMAGE"],
      message: "is set by the platform: leave it out; mirror says where it is taken from",
    });
  if (images.buildArgs[packagesArgument] !== undefined)
    problems.push({
      path: ["images", "buildArgs", packagesArgument],
      message: "is set by the platform: leave it out; the stack's lock says which they are",
    });
  if (environment === undefined || environment === "dev" || images.registry !== undefined) return problems;
  const used = [...imagesInUse({ batch, frontend, models: models ?? [] }, decisions).keys()];
  const built = used.filter((name) => images.prebuilt[name] === undefined);
  if (built.length > 0)
    problems.push({
      path: ["images", "registry"],
      message:
        `is missing: ${built.join(" and ")} would stay in the local Docker daemon, out of reach of ${environment}. ` +
        "Name a registry to push to, or the built images under images.prebuilt",
    });
  return problems;
}

/** The project's own images that are needed, each with arguments of its own for its Dockerfile. */
export function imagesInUse(
  {
    batch,
    frontend,
    models,
  }: {
    readonly batch?: Scoring["batch"];
    readonly frontend?: { readonly enabled: boolean } | undefined;
    readonly models: readonly (ModelConfig | undefined)[];
  },
  decisions: Readonly<Record<string, Served>>,
): ReadonlyMap<AppImageName, Readonly<Record<string, string>>> {
  const parts = models.flatMap((model) => (model === undefined ? [] : partsOf(model)));
  const used = new Set(parts.flatMap(({ model }) => [model.image, model.training?.image]));
  const environments = parts.flatMap(({ model }) =>
    filesNamed(model).flatMap(({ address }) => {
      const served = decisions[address];
      if (served?.environment === undefined) return [];
      return model.server === mlflowServer || computesAnswers(model, served) ? [served.environment] : [];
    }),
  );
  const scoring = othersScoring({ models, batch }).flatMap(
    ({ model }) => scoringEnvironment(decisions[servedOf(model) ?? ""]?.environment) ?? [],
  );
  const made = [...environments, ...scoring].map(
    (one) => [mlflowImage(one), { [packagesArgument]: one.packages.join(" ") }] as const,
  );
  return new Map([
    ...appImages.filter((name) => used.has(name)).map((name) => [name, {}] as const),
    // Without models there is nothing to ask.
    ...(frontend?.enabled === true && models.length > 0 ? [[frontendImage, {}] as const] : []),
    ...made.sort(([one], [other]) => (one < other ? -1 : 1)),
  ]);
}
