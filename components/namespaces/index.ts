import type * as pulumi from "@pulumi/pulumi";

import type { PlatformConfig } from "../../config";
import { namespacesByRole } from "../capabilities";
import { PlatformNamespaces } from "./platformNamespaces";
import { networkPolicies } from "./policies";

/** The namespaces, with what the configuration lets through between them. */
export function createNamespaces(
  name: string,
  config: PlatformConfig,
  opts: pulumi.ComponentResourceOptions,
): PlatformNamespaces {
  return new PlatformNamespaces(
    name,
    {
      podSecurityVersion: config.podSecurityVersion,
      owner: config.owner,
      policies: networkPolicies(namespacesByRole, config),
      protectData: config.environment !== "dev",
    },
    opts,
  );
}
