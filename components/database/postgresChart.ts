import * as pulumi from "@pulumi/pulumi";

import type { Resources } from "../../config/fields";
import { charts, images } from "../../pins";
import { createSecret, onceReady, requirements, serviceHost } from "../kubernetes";
import { createPassword } from "../passwords";
import { type ChartArgs, chartImage, chartStorage, installChart, type Storage } from "../release";
import { type Database, postgresAccess } from "./database";

export interface PostgresChartArgs extends ChartArgs {
  /** The volume. */
  storage: Storage;
  resources: Resources;
  /**
   * Labels of a ServiceMonitor. With them an exporter runs beside the server.
   * @default neither exporter nor monitor
   */
  monitorLabels?: Readonly<Record<string, string>> | undefined;
  /**
   * Whether the data must survive: the release and the passwords are protected.
   * @default false
   */
  protect?: boolean;
}

const { service, port, database, username } = postgresAccess;

/**
 * PostgreSQL in the cluster, one pod on one volume: https://github.com/CloudPirates-io/helm-charts
 *
 * The database `mlflowdb` belongs to `mlflowuser`, whose schema `mlflow` comes first in the search path. It is set up
 * once, on the empty volume: later changes of names or passwords do not reach it.
 */
export class PostgresChart extends pulumi.ComponentResource implements Database {
  public readonly host: pulumi.Output<string>;
  public readonly port: pulumi.Output<number>;
  public readonly database: pulumi.Output<string>;
  public readonly username: pulumi.Output<string>;
  public readonly password: pulumi.Output<string>;

  constructor(name: string, args: PostgresChartArgs, opts?: pulumi.ComponentResourceOptions) {
    super("mlplatform:database:PostgresChart", name, {}, opts);
    const own = { parent: this, protect: args.protect ?? false };

    this.password = createPassword(`${name}-password`, own);
    const admin = createSecret(
      `${name}-admin`,
      "postgres-admin",
      args.namespace,
      { "postgres-password": createPassword(`${name}-admin-password`, own) },
      { parent: this },
    );
    const user = createSecret(
      `${name}-user`,
      postgresAccess.secret.name,
      args.namespace,
      { username, database, [postgresAccess.secret.passwordKey]: this.password },
      { parent: this },
    );
    const release = installChart(
      `${name}-release`,
      service,
      charts.postgres,
      args,
      chartValues(args, admin, user),
      own,
    );

    this.host = onceReady(release, serviceHost(service, args.namespace));
    this.port = onceReady(release, port);
    this.database = onceReady(release, database);
    this.username = onceReady(release, username);
    this.registerOutputs({
      host: this.host,
      port: this.port,
      database: this.database,
      username: this.username,
    });
  }
}

function chartValues(args: PostgresChartArgs, admin: pulumi.Input<string>, user: pulumi.Input<string>) {
  return {
    fullnameOverride: service,
    image: chartImage(images.postgres, args.mirror),
    auth: { existingSecret: admin },
    customUser: {
      existingSecret: user,
      secretKeys: { name: "username", database: "database", password: "password" },
    },
    // Runs as the superuser, in the database `postgres`: hence \connect, and the owner by name.
    initdb: {
      scripts: {
        "10-mlflow-schema.sql": [
          `\\connect ${database}`,
          `CREATE SCHEMA IF NOT EXISTS mlflow AUTHORIZATION ${username};`,
          `ALTER DATABASE ${database} SET search_path = mlflow;`,
          "",
        ].join("\n"),
      },
    },
    persistence: chartStorage(args.storage),
    resources: requirements(args.resources),
    // What Pod Security "restricted" asks for beside the chart's own settings.
    podSecurityContext: { fsGroup: 999, seccompProfile: { type: "RuntimeDefault" } },
    // The chart waits 30 seconds before it first asks; an empty volume is set up after a few.
    startupProbe: { initialDelaySeconds: 1, periodSeconds: 2, failureThreshold: 150 },
    readinessProbe: { initialDelaySeconds: 0 },
    livenessProbe: { initialDelaySeconds: 0 },
    metrics: {
      enabled: args.monitorLabels !== undefined,
      image: chartImage(images.postgresExporter, args.mirror, "pullPolicy"),
      resources: requirements({ cpu: "10m", memory: "32Mi", memoryLimit: "64Mi" }),
      serviceMonitor: { enabled: args.monitorLabels !== undefined, selector: args.monitorLabels ?? {} },
    },
  };
}
