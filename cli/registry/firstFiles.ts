/**
 * What the files of a version were when it was first decided on, as a tag of the version: whoever may write to the bucket
 * alone cannot have others decided on later, such as by a rollback.
 */
import { createHash } from "node:crypto";

import { type Checksums, checksumsText } from "../../config/checksums";
import { UserError } from "../errors";
import type { MlflowClient, ModelVersion } from "../mlflow";

export const filesTag = "files.sha256";

/** What MLflow stores of a tag of a version is at most 5,000 characters long. */
const longest = 4_500;

/** The tag's value: the digest of each file by its path, or one digest of that where it is too long. */
function valueOf(sha256: Checksums): string {
  const text = checksumsText(sha256);
  return text.length <= longest ? text : createHash("sha256").update(text).digest("hex");
}

/** Notes what the files of a version are, unless that was noted before. @throws UserError MLflow refuses, or does not answer. */
export async function keepFiles(
  mlflow: MlflowClient,
  version: ModelVersion,
  sha256: Checksums | undefined,
): Promise<void> {
  if (sha256 === undefined || filesTag in version.tags) return;
  await mlflow.setTag(version, filesTag, valueOf(sha256));
}

/** @throws UserError they are others than when the version was first decided on, with those that differ. */
export function compareFiles({ name, version, tags }: ModelVersion, sha256: Checksums): void {
  const before = tags[filesTag];
  if (before === undefined || before === valueOf(sha256)) return;
  throw new UserError(
    `the files of version ${version} of ${name} are others than when it was first decided on${different(before, sha256)}. ` +
      "Put them back, or register them as another version. If that is as it should be, delete the version's tag " +
      `${filesTag} (npm run open -- mlflow).`,
  );
}

function different(before: string, now: Checksums): string {
  let then: Checksums;
  try {
    then = JSON.parse(before) as Checksums;
  } catch {
    return "";
  }
  const all = [...new Set([...Object.keys(then), ...Object.keys(now)])].sort();
  const changed = all
    .filter((file) => then[file] !== now[file])
    .map((file) => `${file} ${now[file] === undefined ? "is gone" : file in then ? "is changed" : "is new"}`);
  return changed.length === 0 ? "" : `: ${changed.slice(0, 5).join(", ")}`;
}
