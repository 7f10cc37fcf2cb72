import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

import { repositoryOf } from "../../config/mlflowServer";
import type { AppImageName } from "../../config/models";
import { imageReference, images, type Mirror } from "../../pins";
import { buildContext, contentHash, dockerfileOf } from "./dockerfile";

export interface AppImageArgs {
  /** Which of the project's images. */
  image: AppImageName;
  /**
   * Registry that it is pushed to, with the credentials that `docker login` has stored.
   * @default none: it stays in the local Docker daemon, where minikube's and Docker Desktop's clusters find it
   */
  registry?: string | undefined;
  /**
   * Platform that it is built for.
   * @default the daemon's own
   */
  platform?: string | undefined;
  /**
   * The daemon's own platform, as whoever has asked it says. It is not in the tag, which a preview without a daemon shows
   * too. The provider would take that of the machine on which it runs, which may be another one.
   * @default the one that the image was built for before, which holds in a registry in any case: others push there too
   */
  daemonPlatform?: string | undefined;
  /**
   * Network while building.
   * @default "default"
   */
  network?: string | undefined;
  /**
   * Further build arguments.
   * @default {}
   */
  buildArgs?: Readonly<Record<string, string>>;
  /**
   * Where the base image is taken from instead.
   * @default where it is published
   */
  mirror?: Mirror;
}

/**
 * One of the project's own images, built from its Dockerfile in `ml-app/` and pushed where a registry is named.
 *
 * Its tag is a hash of everything that goes into it, so it is known before it is built, the same content is not built
 * again, and what runs it is replaced exactly when something has changed.
 */
export class AppImage extends pulumi.ComponentResource {
  /** The reference to run. What runs it has to depend on this component, which is ready when the image is there. */
  public readonly reference: string;

  constructor(name: string, args: AppImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:images:AppImage", name, { image: args.image }, opts);
    const { image, registry, platform, daemonPlatform, network } = args;
    const builtFor = platform ?? daemonPlatform;
    const buildArgs = { ...args.buildArgs, PYTHON_IMAGE: imageReference(images.python, args.mirror) };
    // A registry that is none keeps an image that was lost from being looked for on Docker Hub, where anyone may put one.
    const repository = registry ?? "localhost/mlplatform";
    this.reference = `${repository}/${repositoryOf(image)}:${contentHash(image, platform, buildArgs)}`;
    new docker.Image(
      `${name}-build`,
      {
        imageName: this.reference,
        skipPush: registry === undefined,
        build: {
          context: buildContext,
          dockerfile: `${buildContext}/${dockerfileOf(image)}`,
          args: buildArgs,
          ...(builtFor === undefined ? {} : { platform: builtFor }),
          ...(network === undefined ? {} : { network }),
        },
      },
      // The provider removes no image, and would ask for a daemon all the same.
      {
        parent: this,
        retainOnDelete: true,
        ...(platform === undefined && (daemonPlatform === undefined || registry !== undefined)
          ? { ignoreChanges: ["build.platform"] }
          : {}),
      },
    );
    this.registerOutputs({ reference: this.reference });
  }
}
