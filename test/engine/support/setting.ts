import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { findOrBuildEngine } from "../../../cli/engine/engine";

/** What all engine tests share. */
export interface Setting {
  /** A folder with `bin/pulumi`, as the Automation API wants it. */
  readonly engineRoot: string;
}

let shared: Promise<Setting> | undefined;
const cleanups: (() => void)[] = [];

/** Finds or builds the engine, once for all tests. */
export function setting(): Promise<Setting> {
  shared ??= prepare();
  return shared;
}

async function prepare(): Promise<Setting> {
  const step = {
    detail: (text: string) => {
      console.log(`    ${text}`);
    },
  };
  const engine = await findOrBuildEngine(step, new AbortController().signal);
  const engineRoot = mkdtempSync(path.join(tmpdir(), "mlplatform-cli-"));
  mkdirSync(path.join(engineRoot, "bin"));
  symlinkSync(engine.file, path.join(engineRoot, "bin", "pulumi"));
  cleanups.push(() => {
    rmSync(engineRoot, { recursive: true, force: true });
  });
  return { engineRoot };
}

process.once("exit", () => {
  for (const clean of cleanups) clean();
});
