import { kindOf, release } from "./kubernetes";
import type { PolicyResource, Rule } from "./model";
import { at, has, join, lastKey, list, text, texts, walk } from "./values";

export const noPublicBucket: Rule = {
  name: "no-public-bucket",
  description:
    "No bucket can be read or written without a key: a model file that anyone can replace is code of anyone's.",
  enforcement: "mandatory",
  needs: "resource",
  check: (resource) => {
    const installed = release(resource);
    if (installed !== undefined)
      return [...defaultBuckets(installed.values), ...bucketPolicies(installed.values)];
    return kindOf(resource) === undefined ? [] : publicCommands(resource);
  },
};

/** The chart's `defaultBuckets: "a, b:policy"`. */
function defaultBuckets(values: unknown): string[] {
  return (text(at(values, "defaultBuckets")) ?? "")
    .split(/[\s,]+/)
    .filter((bucket) => bucket.includes(":") && !/:(none|private)$/.test(bucket))
    .map(
      (bucket) =>
        `values.defaultBuckets opens a bucket to everyone (${bucket}): name the bucket alone, and give keys to who needs it`,
    );
}

/** Lists of buckets, as other charts have them. */
function bucketPolicies(values: unknown): string[] {
  return walk(values, "values")
    .filter(({ path, value }) => lastKey(path) === "policy" && isPublic(text(value)))
    .map(
      ({ path, value }) => `${path} is ${String(value)}, which opens a bucket to everyone: set it to none`,
    );
}

function isPublic(policy: string | undefined): boolean {
  return /^(public|public-read|public-read-write|download|upload)$/.test(policy ?? "");
}

function publicCommands({ props }: PolicyResource): string[] {
  const command = joined(props).filter(({ text }) =>
    /\bmc\b[^\n;&|]*\s(anonymous|policy)\s+(set\s+)?(public|download|upload)\b/.test(text),
  );
  const policy = texts(props).filter(
    ({ text }) =>
      /"Effect"\s*:\s*"Allow"/.test(text) &&
      /"Principal"\s*:\s*("\*"|\{\s*"AWS"\s*:\s*\[?\s*"\*")/.test(text),
  );
  return [
    ...command.map(
      ({ path }) => `${path} opens a bucket to everyone (mc anonymous set): leave that command out`,
    ),
    ...policy.map(
      ({ path }) => `${path} is a bucket policy for everyone ("Principal": "*"): name users instead`,
    ),
  ];
}

/** Texts, and lists of texts as the command line that they are. */
function joined(props: unknown): readonly { path: string; text: string }[] {
  return walk(props).flatMap(({ path, value }) => {
    const whole = text(value);
    if (whole !== undefined) return [{ path, text: whole }];
    const words = list(value).map(text);
    return words.length > 1 && words.every((word) => word !== undefined && !/\s/.test(word))
      ? [{ path, text: words.join(" ") }]
      : [];
  });
}

const open = new Set(["LoadBalancer", "NodePort"]);

export const noExposedService: Rule = {
  name: "no-exposed-service",
  description:
    "No Service is open to the outside of the cluster: an Ingress is, with a name and a certificate.",
  enforcement: "mandatory",
  needs: "resource",
  check: (resource) => {
    if (resource.type === "kubernetes:core/v1:Service") {
      const spec = resource.props["spec"];
      return [
        ...exposed("spec.type", at(spec, "type")),
        ...(list(at(spec, "externalIPs")).length > 0 ? [`spec.externalIPs ${toMend}`] : []),
      ];
    }
    return walk(release(resource)?.values, "values")
      .filter(({ path, value }) => /service$/i.test(lastKey(path)) && has(value, "type"))
      .flatMap(({ path, value }) => exposed(join(path, "type"), at(value, "type")));
  },
};

const toMend =
  "opens the Service to the outside of the cluster: leave it at ClusterIP, and use an Ingress: tracking.ingress";

function exposed(path: string, type: unknown): string[] {
  return open.has(text(type) ?? "") ? [`${path} is ${String(type)}, which ${toMend}`] : [];
}
