import type * as pulumi from "@pulumi/pulumi";

import type { PlatformConfig } from "../../config";
import type { Database } from "../database/database";
import { monitorLabels } from "../monitoring";
import type { ObjectStore } from "../objectStore/objectStore";
import { TrackingServer } from "./trackingServer";

/** What the tracking server stands on. */
export interface TrackingSurroundings {
  readonly namespace: pulumi.Output<string>;
  readonly database: Database;
  readonly objectStore: ObjectStore;
}

/** The tracking server that the configuration asks for. */
export function createTracking(
  name: string,
  config: PlatformConfig,
  { namespace, database, objectStore }: TrackingSurroundings,
  opts: pulumi.ComponentResourceOptions,
): TrackingServer {
  const { mirror, tracking } = config;
  return new TrackingServer(
    name,
    {
      namespace,
      mirror,
      database,
      objectStore,
      replicas: tracking.replicas,
      workers: tracking.workers,
      resources: tracking.resources,
      ingress: tracking.ingress,
      values: tracking.values,
      monitorLabels: monitorLabels(config),
    },
    opts,
  );
}
