import type * as pulumi from "@pulumi/pulumi";

import type { PlatformConfig } from "../../config";
import { monitorLabels } from "../monitoring";
import type { Database } from "./database";
import { ExternalDatabase } from "./externalDatabase";
import { PostgresChart } from "./postgresChart";

/** The database that the configuration asks for. @param namespace where it goes, if it is in the cluster. */
export function createDatabase(
  name: string,
  config: PlatformConfig,
  namespace: pulumi.Output<string>,
  opts: pulumi.ComponentResourceOptions,
): Database {
  const { database, mirror, environment } = config;
  if (database.kind === "external")
    return new ExternalDatabase(
      name,
      {
        host: database.host,
        port: database.port,
        database: database.name,
        username: database.username,
        password: database.password,
      },
      opts,
    );
  return new PostgresChart(
    name,
    {
      namespace,
      mirror,
      storage: database.storage,
      resources: database.resources,
      values: database.values,
      monitorLabels: monitorLabels(config),
      protect: environment !== "dev",
    },
    opts,
  );
}
