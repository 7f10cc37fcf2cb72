import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import * as path from "node:path";

import { copiedFiles, dockerfileOf, frontendDockerfile } from "../../components/images/dockerfile";
import { standardServerFiles, standardSettings } from "../../components/serving/standardServer";
import { type Manifest, hasOwnServer } from "../../config/manifests";
import { mlAppDir } from "../paths";
import type { Servable } from "./registered";

/**
 * Fingerprint of everything that decides what a training run makes: its code, its locked packages and its data.
 *
 * @param data a path, whose content counts, or a URL, of which only the address can be compared.
 */
export async function trainingFingerprint({ training }: Manifest, data: string | undefined): Promise<string> {
  const hash = createHash("sha256");
  const copied = copiedFiles(dockerfileOf(training.image));
  hashFiles(hash, copied.filter(isCode));
  if (data !== undefined && isUrl(data)) hash.update(data);
  // It may be larger than what is read at once.
  else if (data !== undefined) for await (const chunk of createReadStream(data)) hash.update(chunk as Buffer);
  else hashFiles(hash, copied.filter(isSample));
  return hash.digest("hex").slice(0, 16);
}

/** Fingerprint of the model server's code and of everything else that `parts` name. */
export function servingFingerprint(manifest: Servable, ...parts: unknown[]): string {
  const hash = createHash("sha256");
  const code = hasOwnServer(manifest) ? copiedFiles(dockerfileOf(manifest.serving.image)).filter(isCode) : [];
  hashFiles(hash, code);
  if (!hasOwnServer(manifest)) hash.update(JSON.stringify([standardSettings, standardServerFiles().digest]));
  hash.update(JSON.stringify(parts));
  return hash.digest("hex").slice(0, 16);
}

/** Fingerprint of the front end's code and of everything else that `parts` name. */
export function frontendFingerprint(...parts: unknown[]): string {
  const hash = createHash("sha256");
  hashFiles(hash, copiedFiles(frontendDockerfile).filter(isCode));
  return hash.update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}

/** Whether an address of data is a URL (`https://`, `s3://`), not a path. */
export function isUrl(address: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(address);
}

/** Whether a file that a Dockerfile copies is code, or the lock file. */
function isCode(file: string): boolean {
  return /\.py$|\/requirements\.txt$/.test(file);
}

/** Whether it is the table that is trained on where none is named. */
function isSample(file: string): boolean {
  return file.endsWith("/sample.csv");
}

function hashFiles(hash: ReturnType<typeof createHash>, files: readonly string[]): void {
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(mlAppDir, file)))
      .update("\0");
}
