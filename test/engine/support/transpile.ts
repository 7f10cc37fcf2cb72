import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

// tsx, a dependency of the project, is built on it.
import { build } from "esbuild";

import { projectDir } from "../../../cli/paths";

/** The project's TypeScript as JavaScript, for child processes that start fast. */
export interface Transpiled {
  /** For `node`, before the script. */
  readonly nodeArgs: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly dispose: () => void;
}

/** Transpiles the program, the commands and the tests, which takes a fraction of a second. */
export async function transpile(): Promise<Transpiled> {
  const output = mkdtempSync(path.join(tmpdir(), "mlplatform-engine-"));
  await build({
    entryPoints: sources(projectDir),
    outbase: projectDir,
    outdir: output,
    format: "cjs",
    platform: "node",
    target: "node20",
    logLevel: "error",
  });
  return {
    nodeArgs: ["--require", path.join(output, "test", "engine", "support", "hook.js")],
    env: { TRANSPILED_PROJECT: projectDir, TRANSPILED_TO: output },
    dispose: () => {
      rmSync(output, { recursive: true, force: true });
    },
  };
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isFile()) return /(?<!\.d)\.ts$/.test(entry.name) ? [file] : [];
    const skipped = entry.name.startsWith(".") || ["node_modules", "ml-app", "docs"].includes(entry.name);
    return entry.isDirectory() && !skipped ? sources(file) : [];
  });
}
