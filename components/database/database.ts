import type * as pulumi from "@pulumi/pulumi";

/** A PostgreSQL database with a user of its own, wherever it runs. */
export interface Database {
  readonly host: pulumi.Output<string>;
  readonly port: pulumi.Output<number>;
  /** The database, in which the user owns the schema `mlflow`. */
  readonly database: pulumi.Output<string>;
  readonly username: pulumi.Output<string>;
  /** A secret. Whoever connects puts it into a Secret of its own namespace. */
  readonly password: pulumi.Output<string>;
}

/**
 * How the Postgres of the platform is reached in the cluster, and with which Secret of its namespace. Commands read it,
 * for whom the chart's own file would take a second to load.
 */
export const postgresAccess = {
  service: "postgresql",
  port: 5432,
  database: "mlflowdb",
  username: "mlflowuser",
  secret: { name: "mlflow-db", passwordKey: "password" },
} as const;
