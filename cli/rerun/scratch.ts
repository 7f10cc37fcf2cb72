/** A folder for a moment, in which a run is repeated. */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { identify } from "../ownProcesses";

/** What the names of such folders begin with; the number of their process follows. */
const begin = "mlplatform-rerun-";
/** A day: no training takes longer. */
const oldMilliseconds = 24 * 3_600_000;

/**
 * Makes one, and removes those of commands that were killed. A copy of the data may be in it, so that it goes with this
 * process also where nobody waits for the end.
 */
export function scratchFolder(): string {
  for (const name of readdirSync(tmpdir())) {
    const [, pid] = new RegExp(`^${begin}(\\d+)-`).exec(name) ?? [];
    if (pid !== undefined && identify(Number(pid)) === undefined) removeOld(path.join(tmpdir(), name));
  }
  const folder = mkdtempSync(path.join(tmpdir(), `${begin}${process.pid}-`));
  process.once("exit", () => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Removes one. A newer one may be that of a container with the same folder, whose processes have numbers of their own. */
function removeOld(folder: string): void {
  try {
    if (Date.now() - statSync(folder).mtimeMs > oldMilliseconds)
      rmSync(folder, { recursive: true, force: true });
  } catch {
    // Of another user, whose next command removes it.
  }
}
