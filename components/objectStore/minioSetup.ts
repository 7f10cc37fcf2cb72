import { type S3Users, copiesFolder } from "./objectStore";

/** How MinIO is reached in the cluster. */
export const minioAccess = { service: "minio", port: 9000, region: "us-east-1" } as const;

/** The buckets that the set-up makes. Neither gets a policy of its own, so nobody reads them without a key. */
export const buckets = { models: "models", datasets: "datasets", predictions: "predictions" } as const;

const bucketActions = ["s3:GetBucketLocation", "s3:ListBucket"];
const readActions = ["s3:GetObject"];
const writeActions = [
  ...readActions,
  "s3:AbortMultipartUpload",
  "s3:DeleteObject",
  "s3:ListMultipartUploadParts",
  "s3:PutObject",
];

interface Right {
  readonly actions: readonly string[];
  readonly objects: readonly string[];
  /**
   * The folder that it is a right to.
   * @default the whole bucket
   */
  readonly folder?: string;
}
const reading: Right = { actions: bucketActions, objects: readActions };
const writing: Right = {
  actions: [...bucketActions, "s3:ListBucketMultipartUploads"],
  objects: writeActions,
};

/** A training adds a copy, under a name of its own; MLflow hands it out, and removes it when it is to be forgotten. */
const addingCopies: Right = { actions: [], objects: ["s3:PutObject"], folder: copiesFolder };
const keepingCopies: Right = {
  actions: ["s3:ListBucket"],
  objects: [...readActions, "s3:DeleteObject"],
  folder: copiesFolder,
};

/** What each user may do, by the bucket. */
const rights: Record<keyof S3Users, Readonly<Record<string, readonly Right[]>>> = {
  tracking: { [buckets.models]: [writing], [buckets.datasets]: [keepingCopies] },
  serving: { [buckets.models]: [reading] },
  training: { [buckets.datasets]: [reading, addingCopies] },
  batch: { [buckets.datasets]: [reading], [buckets.predictions]: [writing] },
};

/** The users' access keys; their secret keys are generated. */
export const accessKeys: Record<keyof S3Users, string> = {
  tracking: "mlflow",
  serving: "models",
  training: "training",
  batch: "batch",
};

/** The key of a user's secret key in the Secret of the set-up, and the variable that holds it. */
export function secretKeyVariable(user: string): string {
  return `${user.toUpperCase()}_SECRET_KEY`;
}

/**
 * The script that makes buckets, users and their policies; run again it changes nothing.
 *
 * Secret keys go through standard input, since arguments can be seen from outside the container.
 *
 * @param host of the server, with the port.
 */
export function setupScript(host: string): string {
  const users = (Object.keys(rights) as (keyof S3Users)[]).flatMap((user) => {
    const policy = `mlplatform-${user}`;
    const file = `/tmp/${policy}.json`;
    return [
      `printf '%s\\n%s\\n' ${accessKeys[user]} "$${secretKeyVariable(user)}" | mc admin user add store`,
      `printf '%s' '${policyDocument(user)}' > ${file}`,
      `mc admin policy create store ${policy} ${file}`,
      `attach ${policy} ${accessKeys[user]}`,
    ];
  });
  return [
    "set -eu",
    "export MC_CONFIG_DIR=/tmp/mc",
    `export MC_HOST_store="http://$ROOT_USER:$ROOT_PASSWORD@${host}"`,
    // mc takes it for an error if there is nothing to do.
    "attach() {",
    '  said=$(mc admin policy attach store "$1" --user "$2" 2>&1) && return',
    '  case "$said" in *"already in effect"*) ;; *) echo "$said" >&2; exit 1 ;; esac',
    "}",
    // The Service may take a moment to lead to a server that is ready, and network policies to reach this pod.
    "began=$(date +%s) pause=1",
    "until said=$(mc ls store 2>&1 > /dev/null); do",
    // What the store itself says of the log-in, no waiting mends; a name of a host has no spaces.
    '  case "$said" in *"ccess "[Dd]enied*|*"ccess "[Kk]ey*|*" signature "*)',
    `    echo "error: the store ${host} refuses its root user: $said: does it run with another password?" >&2`,
    "    exit 1 ;;",
    "  esac",
    "  if [ $(($(date +%s) - began)) -ge 60 ]; then",
    `    echo "error: \${HOSTNAME:-this pod} has tried to reach the store ${host} for 60 s: $said: is it running, and do the" \\`,
    '      "network policies of both namespaces allow it?" >&2',
    "    exit 1",
    "  fi",
    `  echo "the store ${host} does not answer yet: $said; asking again in $pause s" >&2`,
    '  sleep "$pause"',
    "  [ $pause -ge 8 ] || pause=$((pause * 2))",
    "done",
    `mc mb --ignore-existing ${Object.values(buckets)
      .map((bucket) => `store/${bucket}`)
      .join(" ")}`,
    ...users,
    "",
  ].join("\n");
}

function policyDocument(user: keyof S3Users): string {
  const allow = (action: readonly string[], resource: string, folder?: string) => ({
    Effect: "Allow",
    Action: action,
    Resource: [`arn:aws:s3:::${resource}`],
    ...(folder === undefined ? {} : { Condition: { StringLike: { "s3:prefix": [`${folder}/*`] } } }),
  });
  const statements = (bucket: string, { actions, objects, folder }: Right) => [
    ...(actions.length === 0 ? [] : [allow(actions, bucket, folder)]),
    allow(objects, folder === undefined ? `${bucket}/*` : `${bucket}/${folder}/*`),
  ];
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: Object.entries(rights[user]).flatMap(([bucket, given]) =>
      given.flatMap((right) => statements(bucket, right)),
    ),
  });
}
