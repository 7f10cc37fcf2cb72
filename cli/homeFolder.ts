import { existsSync, statfsSync } from "node:fs";
import * as path from "node:path";

import { UserError } from "./errors";
import { homeDir } from "./paths";

/** Of Linux's `/proc`: statfs(2). */
const procMagic = 0x9fa0;

/**
 * Sees that the folder of what the commands write can be made, or is there: Node tries for ever to make one in `/proc`,
 * and hears no signal meanwhile.
 *
 * @throws UserError it cannot.
 */
export function refuseProc(): void {
  let above = path.resolve(homeDir());
  while (!existsSync(above)) above = path.dirname(above);
  if (process.platform === "linux" && statfsSync(above).type === procMagic)
    throw new UserError(
      `no folder can be made in /proc, where ${homeDir()} is: name another one by MLPLATFORM_HOME.`,
    );
}
