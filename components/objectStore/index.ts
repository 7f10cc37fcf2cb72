import type * as pulumi from "@pulumi/pulumi";

import type { PlatformConfig } from "../../config";
import { monitorLabels } from "../monitoring";
import { ExternalS3 } from "./externalS3";
import { MinioChart } from "./minioChart";
import type { ObjectStore } from "./objectStore";

/** The store that the configuration asks for. @param namespace where it goes, if it is in the cluster. */
export function createObjectStore(
  name: string,
  config: PlatformConfig,
  namespace: pulumi.Output<string>,
  opts: pulumi.ComponentResourceOptions,
): ObjectStore {
  const { objectStore, mirror, environment } = config;
  if (objectStore.kind === "external")
    return new ExternalS3(
      name,
      {
        endpoint: objectStore.endpoint ?? "",
        region: objectStore.region,
        provider: objectStore.provider,
        modelBucket: objectStore.modelBucket,
        dataBucket: objectStore.dataBucket,
        predictionBucket: objectStore.predictionBucket,
        users: objectStore.users,
      },
      opts,
    );
  return new MinioChart(
    name,
    {
      namespace,
      mirror,
      storage: objectStore.storage,
      resources: objectStore.resources,
      values: objectStore.values,
      monitorLabels: monitorLabels(config),
      protect: environment !== "dev",
    },
    opts,
  );
}
