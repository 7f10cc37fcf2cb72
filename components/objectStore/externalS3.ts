import * as pulumi from "@pulumi/pulumi";

import type { ObjectStore, S3Credentials, S3Users } from "./objectStore";

type Keys = Record<keyof S3Credentials, pulumi.Input<string>>;

export interface ExternalS3Args {
  /** Address with scheme and port; empty for AWS. */
  endpoint: pulumi.Input<string>;
  region: pulumi.Input<string>;
  /** As rclone calls it: https://rclone.org/s3/ */
  provider: pulumi.Input<string>;
  /** The buckets exist. */
  modelBucket: string;
  dataBucket: string;
  predictionBucket: string;
  users: Record<Exclude<keyof S3Users, "batch">, Keys> & { readonly batch?: Keys | undefined };
}

/** An S3 store that somebody else runs. Nothing is created. */
export class ExternalS3 extends pulumi.ComponentResource implements ObjectStore {
  public readonly endpoint: pulumi.Output<string>;
  public readonly region: pulumi.Output<string>;
  public readonly provider: pulumi.Output<string>;
  public readonly modelBucket: string;
  public readonly dataBucket: string;
  public readonly predictionBucket: string;
  public readonly users: S3Users;

  constructor(name: string, args: ExternalS3Args, opts?: pulumi.ComponentResourceOptions) {
    // Registered as inputs, where `status` finds what lies outside of the cluster.
    const place = { endpoint: args.endpoint, provider: args.provider };
    super("mlplatform:objectStore:ExternalS3", name, place, opts);
    this.endpoint = pulumi.output(args.endpoint);
    this.region = pulumi.output(args.region);
    this.provider = pulumi.output(args.provider);
    this.modelBucket = args.modelBucket;
    this.dataBucket = args.dataBucket;
    this.predictionBucket = args.predictionBucket;
    this.users = {
      tracking: credentials(args.users.tracking),
      serving: credentials(args.users.serving),
      training: credentials(args.users.training),
      ...(args.users.batch === undefined ? {} : { batch: credentials(args.users.batch) }),
    };
    const { endpoint, modelBucket, dataBucket } = this;
    this.registerOutputs({ endpoint, modelBucket, dataBucket });
  }
}

function credentials({ accessKeyId, secretAccessKey }: Keys): S3Credentials {
  return { accessKeyId: pulumi.output(accessKeyId), secretAccessKey: pulumi.secret(secretAccessKey) };
}
