import { stripVTControlCharacters } from "node:util";

/** What a command writes to standard output, and to standard error, without colours, where nobody is at a terminal. */
export async function outputOf(
  command: () => Promise<unknown>,
): Promise<{ out: string; err: string; result: unknown }> {
  const written = { out: "", err: "" };
  const streams = { out: process.stdout, err: process.stderr };
  const kept = Object.entries(streams).map(([name, stream]) => {
    const write = stream.write.bind(stream);
    stream.write = (chunk: string | Uint8Array) => {
      written[name as keyof typeof written] += stripVTControlCharacters(String(chunk));
      return true;
    };
    return () => (stream.write = write);
  });
  const terminal = process.stdin.isTTY;
  process.stdin.isTTY = false;
  try {
    const result = await command();
    return { ...written, result };
  } finally {
    process.stdin.isTTY = terminal;
    for (const restore of kept) restore();
  }
}
