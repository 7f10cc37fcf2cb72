import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as path from "node:path";

import { copiedFiles, dockerfileOf } from "../../components/images/dockerfile";
import type { Manifest } from "../../config/manifests";
import { mlAppDir } from "../paths";

/**
 * Fingerprint of everything that decides what a training run makes: its code, its locked packages and its data.
 *
 * @param data a path, whose content counts, or a URL, of which only the address can be compared.
 */
export function trainingFingerprint({ folder, training }: Manifest, data: string | undefined): string {
  const hash = createHash("sha256");
  hashCode(hash, training.image);
  if (data !== undefined && isUrl(data)) hash.update(data);
  else hash.update(readFileSync(data ?? path.join(mlAppDir, folder, "sample.csv")));
  return hash.digest("hex").slice(0, 16);
}

/** Fingerprint of the model server's code and of everything else that `parts` name. */
export function servingFingerprint({ serving }: Manifest, ...parts: unknown[]): string {
  const hash = createHash("sha256");
  hashCode(hash, serving.image);
  hash.update(JSON.stringify(parts));
  return hash.digest("hex").slice(0, 16);
}

/** Whether an address of data is a URL (`https://`, `s3://`), not a path. */
export function isUrl(address: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(address);
}

/** Takes in the code and the lock file of an image: what its Dockerfile copies. */
function hashCode(hash: ReturnType<typeof createHash>, image: string): void {
  const files = copiedFiles(dockerfileOf(image)).filter((file) => /\.py$|\/requirements\.txt$/.test(file));
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(mlAppDir, file)))
      .update("\0");
}
