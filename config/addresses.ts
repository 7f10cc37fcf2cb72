/** The addresses that a configuration may hold. None may carry a password: the configuration is in the repository. */
import { bucketExpected, bucketPattern, text } from "./fields";
import { registryProblem } from "./registryNames";
import { shown } from "./words";

const bucketAndKey = /^s3:\/\/([^/]*)\/?(.*)$/i;

/** `s3://bucket/path`, a folder with a model's files. */
export const s3Folder = text('an address in the store, such as "s3://models/churn/1"', folderProblem);

/** `s3://bucket/path`, a file in the store. */
export const s3Object = text('an address in the store, such as "s3://datasets/houses.csv"', (value) => {
  if (value.endsWith("/")) return `is ${shown(value)}, a folder: name a file in it`;
  const longest = Math.max(...value.split("/").map((part) => Buffer.byteLength(part)));
  if (longest > longestName || Buffer.byteLength(value) > longestAddress)
    return `is longer than what stores take, with what stands beside it: ${longestName} bytes a name, ${longestAddress} in all`;
  return objectProblem(value);
});

/** MinIO takes 255 bytes a name and S3 1,024 a key; scores have parts beside them, whose names are longer. */
const longestName = 180;
const longestAddress = 900;

/** A model's files: a folder in the store, or a version in MLflow's registry. */
export const modelAddress = text(
  'a name in the registry, such as "models:/churn@champion", or an address in the store, such as "s3://models/churn/1"',
  (value) => (/^models:/i.test(value) ? registryProblem(value) : folderProblem(value)),
);

function folderProblem(value: string): string | undefined {
  if (value.startsWith("s3://") && value.endsWith("/") && objectProblem(value.slice(0, -1)) === undefined)
    return `is ${shown(value)}: leave the slash at the end out`;
  return objectProblem(value);
}

/** A table to train on. */
export const dataAddress = text('an address, "https://…" or "s3://bucket/key"', (value) => {
  if (/^s3:/i.test(value)) return objectProblem(value);
  if (!value.includes("://"))
    return `is ${shown(value)}, and a training reads https://… and s3://… only: put files of yours into the store`;
  return webProblem(value, "put the file into the store, and name it s3://…");
});

/** The address of a service, without what tells who calls. */
export const httpUrl = text('an address, such as "https://s3.example.com"', (value) => {
  const problem = webProblem(value, "the keys stand under objectStore.users");
  if (problem !== undefined) return problem;
  const { search, hash } = new URL(value);
  return search + hash === "" ? undefined : `is ${shown(value)}: leave "${search}${hash}" out`;
});

function objectProblem(value: string): string | undefined {
  const quoted = shown(value);
  const [, bucket = "", key = ""] = bucketAndKey.exec(value) ?? [];
  if (!/^s3:\/\//i.test(value)) return `is ${quoted}, which does not begin with s3://`;
  if (bucket.includes("@")) return "has keys in it, which everybody could read: leave them out";
  const wrong = [
    ...(value.startsWith("s3://") ? [] : ["whose scheme must be in lower case, s3://"]),
    ...(bucketPattern.test(bucket) ? [] : [`in which "${bucket}" is not ${bucketExpected}`]),
  ];
  if (wrong.length > 0) return `is ${quoted}, ${wrong.join(", and ")}`;
  if (key === "") return `is ${quoted}, a bucket and nothing in it: name a path, s3://${bucket}/…`;
  if (/\s/.test(key)) return `is ${quoted}, which has a space in it`;
  const instead = `write the path itself, s3://${bucket}/…`;
  // What reads it may go there, past the bucket whose name was looked at.
  const step = key.split("/").find((part) => part === "." || part === "..");
  if (step !== undefined) return `is ${quoted}, in which "${step}" is no name: ${instead}`;
  // Some stores leave an empty name out, so that it would be another path.
  if (/^\/|\/\//.test(key)) return `is ${quoted}, in which a name between two slashes is missing: ${instead}`;
  return key.includes("$(")
    ? `is ${quoted}, in which Kubernetes takes "$(" for a variable: ${instead}`
    : undefined;
}

/** A value with a password in it is not repeated: messages end up in logs. */
function webProblem(value: string, instead: string): string | undefined {
  const quoted = shown(value);
  if (/^https?:\/\//i.test(value) && !/^https?:/.test(value))
    return `is ${quoted}, whose scheme must be in lower case`;
  if (!/^https?:\/\//.test(value)) return `is ${quoted}, which begins with neither http:// nor https://`;
  if (/^https?:\/\/[^/?#]*@/.test(value))
    return `has a user or a password in it, which everybody could read: ${instead}`;
  return /\s/.test(value) || !URL.canParse(value) ? `is ${quoted}, which is not an address` : undefined;
}

/** Where charts are taken from. */
export const chartsPlace = text("oci://…, https://… or a folder, such as ./charts", (value) => {
  if (/^https?:/.test(value)) return webProblem(value, "take a place that asks for none");
  return /^(oci:\/\/|\.{1,2}\/|\/)\S+$/.test(value)
    ? undefined
    : `is ${shown(value)}, which begins with neither oci://, https://, ./ nor /`;
});
