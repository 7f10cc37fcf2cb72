import * as pulumi from "@pulumi/pulumi";
import * as z from "zod";

import { imageProblem, registryProblem } from "./images";
import { quantity } from "./quantity";
import { shown } from "./words";

/** The environments that the platform knows; each has its own defaults. */
export const environments = ["dev", "staging", "prod"] as const;
export type Environment = (typeof environments)[number];

/** The environment's own value, of one for each. */
export type ByEnvironment = <T>(values: Record<Environment, T>) => T;

/** A value that nobody may change, down to its leaves. */
export type DeepReadonly<T> = unknown extends T
  ? T
  : T extends pulumi.Output<unknown> | string | number | boolean | undefined
    ? T
    : { readonly [K in keyof T]: DeepReadonly<T[K]> };

/**
 * A text that has to pass a check.
 *
 * @param expected what it must be, for messages and for the documentation: "a size, such as …".
 * @param problem what is wrong with a text, to be read behind its place; undefined if nothing is.
 */
export function text(expected: string, problem: (text: string) => string | undefined) {
  return z
    .string()
    .check(({ value, issues }) => {
      const message = value === "" ? `is empty; it must be ${expected}` : problem(value);
      if (message !== undefined) issues.push({ code: "custom", input: value, message });
    })
    .meta({ expected });
}

/** A text of a certain form. */
export function like(pattern: RegExp, expected: string) {
  return text(expected, (value) =>
    pattern.test(value) ? undefined : `is ${shown(value)}, which is not ${expected}`,
  );
}

/** A text that must not be empty. */
export const filled = z.string().regex(/\S/, { error: "is empty: give it a value" });

function name(pattern: RegExp, expected: string, longest: number) {
  return text(expected, (value) => {
    if (value.length > longest)
      return `has ${value.length} characters, of which at most ${longest} fit into the names that Kubernetes allows`;
    if (pattern.test(value)) return undefined;
    const mended = value.toLowerCase().replaceAll(/[\s._]+/g, "-");
    const hint = pattern.test(mended) ? `; did you mean ${mended}?` : "";
    return `is ${shown(value)}, which is not ${expected}${hint}`;
  }).meta({ type: `name, at most ${longest} characters` });
}

/** A name that Kubernetes takes for an object and as a part of a DNS name (RFC 1035). */
export const dnsLabel = (longest = 63) =>
  name(
    /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
    "a name of lower-case letters, digits and dashes, with a letter first and no dash last",
    longest,
  );

/** A name that Kubernetes takes for most objects (RFC 1123). */
export const objectName = name(
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  "a name of lower-case letters, digits, dashes and dots, with a letter or digit first and last",
  253,
);

/** The name of a variable, as a shell and Python take it. */
export const variableName = like(/^[A-Za-z_]\w*$/, "a name of letters, digits and underscores");

/** The key of a label or an annotation. */
export const labelKey = like(
  /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/,
  'the key of a label, such as "release" or "example.com/team", with at most 63 characters in its last part',
);

/** The value of a label; it may be empty. */
export const labelValue = z.string().regex(/^([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?$/, {
  error: ({ input }) =>
    `is ${shown(input)}, which is not the value of a label: at most 63 letters, digits, dashes, dots and underscores`,
});

export const hostName = like(
  /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/i,
  "a host name without scheme, port and path",
);

/** S3's rules for names of buckets: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
export const bucketPattern = /^(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
export const bucketExpected =
  "the name of a bucket: 3 to 63 lower-case letters, digits, dots and dashes, and no IP address";

export const bucketName = like(bucketPattern, bucketExpected);

/** An amount that Kubernetes takes, and of which something is left when it has rounded. */
function amount(expected: string, smallest: number) {
  return text(expected, (value) =>
    (quantity(value) ?? 0) >= smallest ? undefined : `is ${shown(value)}, which is not ${expected}`,
  );
}

export const cpu = amount('an amount of CPU, such as "250m" or "2"', 0.001);
/** Kubernetes takes `8` for bytes and `512m` for half a byte: of less than this a unit is missing, or another is meant. */
const leastBytes = 1024;
export const memory = amount('an amount of memory, such as "512Mi" or "2Gi"', leastBytes);
export const storageSize = amount('a size, such as "10Gi"', leastBytes);

/** A registry with an optional path. */
export const registry = text('a registry, such as "registry.example.com/team"', registryProblem);

/** A whole image reference. A tag or a digest says which; `latest` says nothing. */
export const imageRef = text(
  'an image reference with a tag or a digest, such as "registry.example.com/team/model:1.2"',
  imageProblem,
);

/** What people look for here, by words in lower case without plural, and is not. */
const otherLimits = new Map([
  [
    "cpulimit",
    "is not there: nothing has a limit for CPU, which would slow a container down beside idle cores; cpu is what it gets at least",
  ],
  [
    "limit",
    "is not there: the one limit is memoryLimit; CPU has none, which would slow a container down beside idle cores",
  ],
  ["request", "is not there: cpu and memory, here, are what is asked for"],
]);

/** What a container asks for. There is no limit for CPU: it would slow a container down beside idle cores. */
export function resources(defaults: Resources) {
  return z
    .strictObject({
      cpu: cpu.default(defaults.cpu).describe("CPU that is kept free for it"),
      memory: memory.default(defaults.memory).describe("memory that is kept free for it"),
      memoryLimit: memory.default(defaults.memoryLimit).describe("memory beyond which it is ended"),
    })
    .refine((asked) => bytes(asked.memoryLimit) >= bytes(asked.memory), {
      path: ["memoryLimit"],
      error: ({ input }) => {
        const asked = input as Resources;
        return `is ${asked.memoryLimit}, below memory, which is ${asked.memory}: raise it`;
      },
    })
    .meta({ absent: otherLimits })
    .prefault({});
}

/** The same for a part of something, whose own resources hold for what is left out. */
export const partialResources = z
  .strictObject({
    cpu: cpu.optional().describe("CPU that is kept free for it"),
    memory: memory.optional().describe("memory that is kept free for it"),
    memoryLimit: memory.optional().describe("memory beyond which it is ended"),
  })
  .meta({ absent: otherLimits });

export interface Resources {
  readonly cpu: string;
  readonly memory: string;
  readonly memoryLimit: string;
}

/** The bytes of an amount of memory or storage that its field has accepted. */
export function bytes(accepted: string): number {
  return quantity(accepted) ?? Number.NaN;
}

/** The thousandths of a core of an amount of CPU that its field has accepted. */
export function millicores(accepted: string): number {
  return Math.round((quantity(accepted) ?? Number.NaN) * 1000);
}

/** A value that is encrypted in the stack's file: `npm run secret`. It leaves the configuration as a secret output. */
export const secret = z
  .string()
  .min(1, { error: "is empty" })
  .meta({ secret: true })
  .transform((value) => pulumi.secret(value));

/** Chart values that are merged over ours, last: the way to a setting that the platform has no field for. */
export const values = z
  .record(z.string(), z.unknown())
  .default({})
  .describe(
    "values of the chart, merged over the platform's own, but for those that other parts count on; no secrets",
  );

/** A volume. @param size where none is named. */
export const storage = (size: string) =>
  z
    .strictObject({
      size: storageSize.default(size).describe("size of the volume"),
      storageClass: objectName.optional().describe("storage class; the cluster's default if left out"),
    })
    .prefault({});
