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
