import { execFileSync } from "node:child_process";
import { crc32, deflateSync } from "node:zlib";

import { type Browser, chromium } from "playwright-core";

/** Names of the browser, as distributions have it. */
const names = ["chromium", "chromium-browser"];

/** Where Chromium is, or why there is none. */
export function findChromium(): { readonly file: string } | { readonly missing: string } {
  for (const name of names) {
    try {
      return { file: execFileSync("/bin/sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim() };
    } catch {
      // The next one.
    }
  }
  return { missing: "there is no chromium on the PATH; on Debian: apt-get install chromium" };
}

/** Starts the browser. Its sandbox needs rights that root in a container has not. */
export function launch(file: string): Promise<Browser> {
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({
    executablePath: file,
    args: ["--disable-gpu", "--disable-dev-shm-usage", ...sandbox],
  });
}

/** A grey PNG of square pixels, each from 0 (black) to 255 (white). @param size of a pixel, in pixels of the picture. */
export function png(pixels: readonly (readonly number[])[], size = 8): Buffer {
  const wide = (row: readonly number[]) => row.flatMap((pixel) => Array<number>(size).fill(pixel));
  const rows = pixels.flatMap((row) => Array<number[]>(size).fill(wide(row)));
  const [first = []] = rows;
  const head = Buffer.alloc(13);
  head.writeUInt32BE(first.length, 0);
  head.writeUInt32BE(rows.length, 4);
  head.writeUInt8(8, 8);
  const data = deflateSync(Buffer.from(rows.flatMap((row) => [0, ...row])));
  const chunks = [chunk("IHDR", head), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...chunks]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
