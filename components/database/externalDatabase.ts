import * as pulumi from "@pulumi/pulumi";

import type { Database } from "./database";

export interface ExternalDatabaseArgs {
  host: pulumi.Input<string>;
  port: pulumi.Input<number>;
  /** The database; it exists. */
  database: pulumi.Input<string>;
  /** The user; owns the schema that is first in its search path. */
  username: pulumi.Input<string>;
  password: pulumi.Input<string>;
}

/** A PostgreSQL that somebody else runs, for example a cloud's. Nothing is created. */
export class ExternalDatabase extends pulumi.ComponentResource implements Database {
  public readonly host: pulumi.Output<string>;
  public readonly port: pulumi.Output<number>;
  public readonly database: pulumi.Output<string>;
  public readonly username: pulumi.Output<string>;
  public readonly password: pulumi.Output<string>;

  constructor(name: string, args: ExternalDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    const { host, port, database } = args;
    // Registered as inputs, where `status` finds what lies outside of the cluster.
    super("mlplatform:database:ExternalDatabase", name, { host, port, database }, opts);
    this.host = pulumi.output(args.host);
    this.port = pulumi.output(args.port);
    this.database = pulumi.output(args.database);
    this.username = pulumi.output(args.username);
    this.password = pulumi.secret(args.password);
    this.registerOutputs({
      host: this.host,
      port: this.port,
      database: this.database,
      username: this.username,
    });
  }
}
