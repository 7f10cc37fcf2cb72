/** A folder for a moment, in which a run is repeated. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { identify } from "../ownProcesses";

/** What the names of such folders begin with; the number of their process follows. */
const begin = "mlplatform-rerun-";

/**
 * Makes one, and removes those of commands that were killed. A copy of the data may be in it, so that it goes with this
 * process also where nobody waits for the end.
 */
export function scratchFolder(): string {
  for (const name of readdirSync(tmpdir())) {
    const [, pid] = new RegExp(`^${begin}(\\d+)-`).exec(name) ?? [];
    if (pid !== undefined && identify(Number(pid)) === undefined) remove(name);
  }
  const folder = mkdtempSync(path.join(tmpdir(), `${begin}${process.pid}-`));
  process.once("exit", () => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

function remove(name: string): void {
  try {
    rmSync(path.join(tmpdir(), name), { recursive: true, force: true });
  } catch {
    // Of another user, whose next command removes it.
  }
}
