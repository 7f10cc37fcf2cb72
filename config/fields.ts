import * as pulumi from "@pulumi/pulumi";
import * as z from "zod";

/** The environments that the platform knows; each has its own defaults. */
export const environments = ["dev", "staging", "prod"] as const;
export type Environment = (typeof environments)[number];

/** A string that must match, and what it must look like, for the message. */
const like = (pattern: RegExp, what: string) =>
  z.string().regex(pattern, { error: ({ input }) => `"${String(input)}" is not ${what}` });

/** A name that Kubernetes takes for an object and as a part of a DNS name (RFC 1123). */
export const dnsLabel = (longest: number) =>
  like(
    /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
    "a name: lower-case letters, digits and dashes, from a letter to a letter or digit",
  ).max(longest, {
    error: ({ input }) =>
      `"${String(input)}" has ${String(input).length} characters, of which at most ${longest} fit into Kubernetes' names`,
  });

export const hostName = like(
  /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/i,
  "a host name; leave scheme, port and path out",
);

/** S3's rules for names of buckets: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
export const bucketName = like(
  /^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
  "a bucket's name: 3 to 63 lower-case letters, digits, dots and dashes",
);

export const cpu = like(/^([1-9]\d*m|[1-9]\d*|\d+\.\d{1,3})$/, 'an amount of CPU, such as "250m" or "2"');
export const memory = like(/^[1-9]\d*(Mi|Gi)$/, 'an amount of memory, such as "512Mi" or "2Gi"');
export const storageSize = like(/^[1-9]\d*(Mi|Gi|Ti)$/, 'a size, such as "10Gi"');

export const httpUrl = like(
  /^https?:\/\/[^\s/@]+(\/\S*)?$/,
  "an http:// or https:// address without a password",
);
export const s3Uri = like(
  /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/\S+[^\s/]$/,
  "an s3://bucket/path address",
);
export const dataAddress = like(
  /^(https?:\/\/[^\s@]+|s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/\S+)$/,
  "the address of data: https://… or s3://bucket/key",
);

const imagePath = "[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*";
const registryHost = "[a-zA-Z0-9]([-a-zA-Z0-9.]*[a-zA-Z0-9])?(:\\d{1,5})?";

/** A registry with an optional path. A host has a dot or a port, or is localhost: Docker takes it for a path else. */
export const registry = like(
  new RegExp(`^(?=[^/]*[.:]|localhost)${registryHost}(/${imagePath})?$`),
  'a registry, such as "registry.example.com/team"; leave the scheme and a closing slash out',
);

/** A whole image reference. A tag or a digest says which; `latest` says nothing. */
export const imageRef = like(
  new RegExp(
    `^(${registryHost}/)?${imagePath}(:(?!latest(@|$))[\\w][\\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$`,
  ),
  "an image reference with a tag other than latest, or with a digest",
).refine((text) => /:[^/]+$/.test(text), {
  error: ({ input }) => `"${String(input)}" has neither tag nor digest: say which image it is`,
});

/** What a container asks for. There is no limit for CPU: it would slow a container down beside idle cores. */
export function resources(defaults: Record<"cpu" | "memory" | "memoryLimit", string>) {
  return z
    .strictObject({
      cpu: cpu.default(defaults.cpu).describe("CPU that is kept free for it"),
      memory: memory.default(defaults.memory).describe("memory that is kept free for it"),
      memoryLimit: memory.default(defaults.memoryLimit).describe("memory beyond which it is ended"),
    })
    .refine((asked) => bytes(asked.memoryLimit) >= bytes(asked.memory), {
      error: ({ input }) => {
        const asked = input as Resources;
        return `memoryLimit (${asked.memoryLimit}) is below memory (${asked.memory})`;
      },
    })
    .prefault({});
}

export interface Resources {
  readonly cpu: string;
  readonly memory: string;
  readonly memoryLimit: string;
}

/** The bytes of an amount of memory or storage that its field has accepted. */
export function bytes(quantity: string): number {
  const unit = { Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 }[quantity.slice(-2)] ?? Number.NaN;
  return Number(quantity.slice(0, -2)) * unit;
}

/** A value that must be set with `pulumi config set --secret`. It leaves the configuration as a secret output. */
export const secret = z
  .string()
  .min(1, { error: "is empty" })
  .meta({ secret: true })
  .transform((text) => pulumi.secret(text));

/** Chart values that are merged over ours, last: the way to a setting that the platform has no field for. */
export const values = z
  .record(z.string(), z.unknown())
  .default({})
  .describe("values of the chart, merged over the platform's own");
