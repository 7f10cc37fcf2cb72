import type * as pulumi from "@pulumi/pulumi";

/** The keys of an S3 user. Whoever connects puts them into a Secret of its own namespace. */
export interface S3Credentials {
  readonly accessKeyId: pulumi.Output<string>;
  /** A secret. */
  readonly secretAccessKey: pulumi.Output<string>;
}

/** What the users may do, and no more. */
export interface S3Users {
  /** Reads and writes the bucket of the models; reads and removes the copies of data sets. */
  readonly tracking: S3Credentials;
  /** Reads the bucket of the models. */
  readonly serving: S3Credentials;
  /** Reads the bucket of the data sets, and adds copies of what it has trained on. */
  readonly training: S3Credentials;
  /** Reads the bucket of the data sets, and writes that of the predictions. None where nothing is scored. */
  readonly batch?: S3Credentials | undefined;
}

/** Where in the bucket of the data sets the copies are, each of what a training has read. */
export const copiesFolder = "copies";

/** An S3 store with a bucket for models, one for data sets and one for predictions, wherever it runs. */
export interface ObjectStore {
  /** Its address, with scheme and port; empty for AWS, which clients find by the region. */
  readonly endpoint: pulumi.Output<string>;
  readonly region: pulumi.Output<string>;
  /** The kind of store, as rclone calls it: https://rclone.org/s3/ */
  readonly provider: pulumi.Output<string>;
  /** The buckets' names; they are there when the address is known to be. */
  readonly modelBucket: string;
  readonly dataBucket: string;
  readonly predictionBucket: string;
  readonly users: S3Users;
}

/** The variables by which every AWS client finds the store. An empty endpoint is as good as none. */
export function storeVariables({ endpoint, region }: ObjectStore): Record<string, pulumi.Output<string>> {
  return { AWS_DEFAULT_REGION: region, AWS_ENDPOINT_URL: endpoint };
}
