/** What a version's files were when it was decided on: its pods serve these, or nothing. */
import * as z from "zod";

/** The variable that tells a pod; `ml-app/standardserver/decided.py` reads it there. */
export const checksumsVariable = "MLPLATFORM_FILES";

/**
 * How long the variable's value may be. Linux takes 128 KiB, and a graph's executor gets all of its pod in one, in
 * base64.
 */
const mostBytes = 48 * 1024;

/** SHA-256 of each file in hexadecimal digits, by its path in the folder. */
export type Checksums = Readonly<Record<string, string>>;

const digests = z
  .record(
    z.string().refine((file) => file.split("/").every((part) => !["", ".", ".."].includes(part)), {
      error: "is no path in a folder",
    }),
    z.string().regex(/^[0-9a-f]{64}$/, { error: "is no SHA-256: 64 hexadecimal digits" }),
  )
  .refine((all) => Object.keys(all).length > 0, { error: "names no file" })
  .refine((all) => checksumsText(all).length <= mostBytes, { error: "names too many files" });

export const checksums = z
  .unknown()
  // A record of zod's leaves it out without a word.
  .refine((all) => !Object.hasOwn(Object(all) as object, "__proto__"), {
    error: "names __proto__, which is no file",
  })
  .pipe(digests);

/** Whether files can be told to a pod: their paths, and how many they are. */
export function canBeTold(files: readonly string[]): boolean {
  return checksums.safeParse(Object.fromEntries(files.map((file) => [file, "0".repeat(64)]))).success;
}

/** The variable's value: JSON in ASCII, without the `$` with which Kubernetes names another variable. */
export function checksumsText(all: Checksums): string {
  const sorted = Object.keys(all)
    .sort()
    .map((file) => [file, all[file]] as const);
  return JSON.stringify(Object.fromEntries(sorted)).replace(
    /[$\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
