import type * as pulumi from "@pulumi/pulumi";

import type { PlatformConfig } from "../../config";
import type { AppImageName } from "../../config/models";
import { AppImage } from "./appImage";
import { imagesInUse } from "./schema";

/** An image to run, and what builds it if it is built here. */
export interface RunnableImage {
  readonly reference: string;
  readonly built?: pulumi.Resource;
}

/** The project's own images that are in use. */
export type AppImages = Readonly<Record<AppImageName, RunnableImage>>;

/** Builds the images in use that are not built elsewhere. Without one of them, Docker is never asked. */
export function createAppImages(
  name: string,
  { batch, frontend, images: settings, models, mirror, decisions }: PlatformConfig,
  opts: pulumi.ComponentResourceOptions,
): AppImages {
  const references = [...imagesInUse({ batch, frontend, models }, decisions)].map(([image, arguments_]) => {
    const prebuilt = settings.prebuilt[image];
    if (prebuilt !== undefined) return [image, { reference: prebuilt }] as const;
    const built = new AppImage(
      `${name}-${image}`,
      {
        image,
        mirror,
        registry: settings.registry,
        platform: settings.platform,
        daemonPlatform: settings.daemonPlatform,
        network: settings.network,
        buildArgs: { ...settings.buildArgs, ...arguments_ },
      },
      opts,
    );
    return [image, { reference: built.reference, built }] as const;
  });
  return Object.fromEntries(references);
}
