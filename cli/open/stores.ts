/** The database and the S3 store, for `psql`, `mc` and `aws`. */
import { postgresAccess } from "../../components/database/database";
import { databaseService, storeService } from "../cluster/services";
import { localHost } from "../ports";
import type { Item } from "../status/item";
import type { Openable } from "./addresses";

/** What they are called, and the part of the status that tells of one outside of the cluster. */
const parts = { postgres: "database", s3: "object store" } as const;

/** Whether a name means one of them. */
export function isStore(name: string): name is keyof typeof parts {
  return name in parts;
}

/**
 * Postgres in the cluster.
 *
 * A password in an argument would stand in the list of processes. In `PGPASSWORD` it does not, and the shell's history
 * has the question for it alone.
 */
export function postgres(context: string): Openable {
  const { database, username, secret } = postgresAccess;
  const password = fromSecret(context, databaseService.namespace, secret.name, secret.passwordKey);
  return {
    name: "postgres",
    title: "Postgres",
    service: databaseService,
    preferredPort: databaseService.port,
    scheme: "postgresql",
    path: `/${database}`,
    lines: (port) => [`PGPASSWORD="${password}" psql -h ${localHost} -p ${port} -U ${username} ${database}`],
  };
}

/**
 * The S3 API of MinIO in the cluster, as its root user.
 *
 * `export` belongs to the shell, so that its argument is in no list of processes; `mc alias set` would get the password
 * as an argument, and keep it in a file.
 */
export function s3(context: string): Openable {
  const password = fromSecret(context, storeService.namespace, "minio-root", "password");
  return {
    name: "s3",
    title: "S3 API of MinIO",
    service: storeService,
    preferredPort: storeService.port,
    lines: (port) => [
      `export MC_HOST_mlplatform="http://root:${password}@${localHost}:${port}"`,
      "mc ls mlplatform",
      "",
      `export AWS_ACCESS_KEY_ID=root AWS_SECRET_ACCESS_KEY="${password}"`,
      `aws --endpoint-url http://${localHost}:${port} --region us-east-1 s3 ls`,
    ],
  };
}

function fromSecret(context: string, namespace: string, secret: string, key: string): string {
  const named = /^[\w@%+=:,./-]+$/.test(context) ? context : `'${context.replaceAll("'", "'\\''")}'`;
  return `$(kubectl --context ${named} -n ${namespace} get secret ${secret} -o jsonpath='{.data.${key}}' | base64 -d)`;
}

/** Those of these names that lie outside of the cluster, with their addresses in words. */
export function storesOutside(
  names: readonly string[],
  elsewhere: readonly Item[],
): { readonly name: string; readonly text: string }[] {
  return names.flatMap((name) => {
    const item = isStore(name) ? elsewhere.find(({ part }) => part === parts[name]) : undefined;
    return item === undefined ? [] : [{ name, text: `${item.part} ${item.name} ${item.detail}.` }];
  });
}
