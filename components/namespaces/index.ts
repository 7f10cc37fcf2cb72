import type * as pulumi from "@pulumi/pulumi";

import type { PlatformConfig } from "../../config";
import { PlatformNamespaces } from "./platformNamespaces";
import type { TrafficArgs } from "./traffic";

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
      traffic: trafficOf(config),
      protectData: config.environment !== "dev",
    },
    opts,
  );
}

/** What the network policies let through. */
function trafficOf(config: PlatformConfig): TrafficArgs {
  const { database, objectStore, tracking, monitoring, serving, models } = config;
  return {
    externalDatabasePort: database.kind === "external" ? database.port : undefined,
    externalStorePort: objectStore.kind === "external" ? portOf(objectStore.endpoint) : undefined,
    ingressNamespace: tracking.ingress?.namespace,
    monitoringNamespace: monitoring.enabled ? monitoring.namespace : undefined,
    gatewayNamespace: serving.istio?.gateway.split("/")[0],
    webDataPorts: [...new Set(models.flatMap(({ training }) => webPorts(training?.data)))].sort(),
  };
}

function webPorts(data: string | undefined): number[] {
  return data?.startsWith("http") === true ? [portOf(data)] : [];
}

function portOf(endpoint: string | undefined): number {
  const url = new URL(endpoint ?? "https://s3.amazonaws.com");
  return url.port === ""
    ? { "http:": 80, "https:": 443 }[url.protocol as "http:" | "https:"]
    : Number(url.port);
}
