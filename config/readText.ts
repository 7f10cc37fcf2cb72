import { readFileSync, statSync } from "node:fs";

/** Of the BSDs' codes, for which Linux has none: a pipe or a device, and not a file. */
export const noFile = "EFTYPE";

/**
 * The bytes of a file that comes to an end: whoever opens a pipe or a device in its place may wait for ever, and hears no
 * signal.
 *
 * @throws Error it cannot be read; its `code` is the system's, or `noFile`.
 */
export function readBytes(file: string): Buffer {
  const facts = statSync(file);
  if (facts.isFile() || facts.isDirectory()) return readFileSync(file);
  const message = `${noFile}: it is a pipe or a device, open '${file}'`;
  throw Object.assign(new Error(message), { code: noFile, syscall: "open", path: file });
}

/** The same as text. @throws Error as above */
export function readText(file: string): string {
  return readBytes(file).toString("utf8");
}
