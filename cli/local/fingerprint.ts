import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync } from "node:fs";
import * as path from "node:path";

import { mlAppDir } from "../paths";

/** The code that decides what training makes: relative to `ml-app/`. */
const trainingCode = ["house_price/features.py", "house_price/train", "modelkit"];
/** The code that decides what the model server answers. */
const servingCode = ["house_price/features.py", "house_price/serve", "modelkit", "modelserver"];

const defaultData = "house_price/sample.csv";

/**
 * Fingerprint of everything that decides what a training run makes: its code, its locked packages and its data.
 *
 * @param data a path, whose content counts, or a URL, of which only the address can be compared.
 */
export function trainingFingerprint(data: string | undefined): string {
  const hash = createHash("sha256");
  hashCode(hash, trainingCode);
  if (data !== undefined && isUrl(data)) hash.update(data);
  else hash.update(readFileSync(data ?? path.join(mlAppDir, defaultData)));
  return hash.digest("hex").slice(0, 16);
}

/** Fingerprint of the model server's code and of everything else that `parts` name. */
export function servingFingerprint(...parts: unknown[]): string {
  const hash = createHash("sha256");
  hashCode(hash, servingCode);
  hash.update(JSON.stringify(parts));
  return hash.digest("hex").slice(0, 16);
}

/** Whether an address of data is a URL (`https://`, `s3://`), not a path. */
export function isUrl(address: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(address);
}

function hashCode(hash: ReturnType<typeof createHash>, roots: readonly string[]): void {
  for (const file of roots.flatMap(filesOf).sort()) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(mlAppDir, file)))
      .update("\0");
  }
}

/** Python sources and lock files below a file or folder. */
function filesOf(root: string): string[] {
  if (statSync(path.join(mlAppDir, root)).isFile()) return [root];
  return readdirSync(path.join(mlAppDir, root), { withFileTypes: true }).flatMap((entry) => {
    const name = `${root}/${entry.name}`;
    if (entry.isDirectory()) return filesOf(name);
    return entry.name.endsWith(".py") || entry.name === "requirements.txt" ? [name] : [];
  });
}
