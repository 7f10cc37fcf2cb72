import { createHash } from "node:crypto";
import * as path from "node:path";

import { answersFile } from "../../config/answers";
import { type Checksums, canBeTold } from "../../config/checksums";
import type { Decision } from "../../config/lock";
import { registryName } from "../../config/registryNames";
import { UserError } from "../errors";
import type { MlflowClient } from "../mlflow";
import type { Registry } from "./decide";
import { compareFiles } from "./firstFiles";

/** How much of a version is read to be checked, and how many files and folders are looked at. */
const mostBytes = 1024 ** 3;
const mostEntries = 1_000;
/** Files that are read side by side. */
const together = 4;

interface File {
  /** In the version's folder. */
  readonly path: string;
  readonly bytes: number | undefined;
}

/**
 * What the files of a version are now, by their bytes: MLflow records no digest of them.
 *
 * @returns undefined if pods cannot check them: too many, too large, or of names that are no paths.
 * @throws UserError MLflow does not answer, or a file changes meanwhile.
 */
export async function checksumsOf(
  { mlflow, store }: Registry,
  { files: address }: Pick<Decision, "files">,
): Promise<Checksums | undefined> {
  const place = address.slice(store.length + 1);
  const files = await filesBelow(mlflow, place);
  const bytes = files?.reduce((sum, file) => sum + (file.bytes ?? 0), 0) ?? Infinity;
  if (files === undefined || bytes > mostBytes || !canBeTold(files.map((file) => file.path)))
    return undefined;
  const found = new Map<string, string>();
  const rest = files.values();
  const work = async () => {
    for (const file of rest) found.set(file.path, await checksumOf(mlflow, place, file));
  };
  await Promise.all(Array.from({ length: together }, work));
  return Object.fromEntries([...found].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/**
 * A version with the digests of its files, to be decided on; without, if pods cannot check them.
 *
 * @param wish what it is called in the registry, by an alias or its number.
 * @throws UserError its files are others than when it was first decided on; MLflow does not answer.
 */
export async function withChecksums<T extends Pick<Decision, "files" | "version">>(
  registry: Registry,
  wish: string,
  version: T,
): Promise<T & Pick<Decision, "sha256">> {
  const name = registryName(wish)?.model ?? "";
  const [sha256, registered] = await Promise.all([
    checksumsOf(registry, version),
    registry.mlflow.version(name, String(version.version)),
  ]);
  if (sha256 === undefined) return version;
  if (registered !== undefined) compareFiles(registered, sha256);
  return { ...version, sha256 };
}

/** The files in a folder and in those in it; undefined if there are too many. */
async function filesBelow(mlflow: MlflowClient, place: string): Promise<File[] | undefined> {
  const files: File[] = [];
  const folders = [""];
  for (const folder of folders) {
    for (const entry of await mlflow.filesIn(path.posix.join(place, folder))) {
      const inside = path.posix.join(folder, path.posix.basename(entry.path));
      if (entry.is_dir) folders.push(inside);
      else if (inside !== answersFile)
        files.push({
          path: inside,
          bytes: entry.file_size === undefined ? undefined : Number(entry.file_size),
        });
    }
    if (files.length + folders.length > mostEntries) return undefined;
  }
  return files;
}

async function checksumOf(mlflow: MlflowClient, place: string, file: File): Promise<string> {
  const hash = createHash("sha256");
  let bytes = 0;
  await mlflow.read(`${place}/${file.path}`, async (chunks) => {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  });
  if (file.bytes !== undefined && file.bytes !== bytes)
    throw new UserError(
      `${file.path} in ${place} has ${file.bytes} bytes, and ${bytes} came: it changes, or MLflow broke off. Try again.`,
    );
  return hash.digest("hex");
}
