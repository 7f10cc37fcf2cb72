import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { findEngine } from "../../../cli/engine/engine";
import { UserError } from "../../../cli/errors";

/** What all engine tests share. */
export interface Setting {
  /** A folder with `bin/pulumi`, as the Automation API wants it. */
  readonly engineRoot: string;
}

let shared: Promise<Setting> | undefined;
const cleanups: (() => void)[] = [];

/** Finds the engine, once for all tests. @throws UserError it was not made before. */
export function setting(): Promise<Setting> {
  shared ??= prepare();
  return shared;
}

async function prepare(): Promise<Setting> {
  const engine = await findEngine();
  // Making it takes minutes, and would fall into some test's limit.
  if (!("file" in engine))
    throw new UserError("there is no Pulumi engine yet; `npm test -- engine` makes it.");
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
