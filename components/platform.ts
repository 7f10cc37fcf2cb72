import * as pulumi from "@pulumi/pulumi";
import {
  type NamespaceNames,
  PlatformNamespaces,
  type PlatformNamespacesArgs,
} from "./namespaces/platformNamespaces";

export interface MlPlatformArgs {
  /**
   * How the platform's namespaces are made.
   * @default every default of {@link PlatformNamespacesArgs}
   */
  namespaces?: PlatformNamespacesArgs;
}

/** The platform: which parts it has, and what flows from one to the next. */
export class MlPlatform extends pulumi.ComponentResource {
  public readonly namespaces: NamespaceNames;

  constructor(name: string, args: MlPlatformArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:platform:MlPlatform", name, {}, opts);

    const namespaces = new PlatformNamespaces(`${name}-namespaces`, args.namespaces, { parent: this });

    this.namespaces = namespaces.names;
    this.registerOutputs({ namespaces: this.namespaces });
  }
}
