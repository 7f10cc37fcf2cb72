import * as path from "node:path";

import { projectDir } from "../paths";

/** The golden file of a stack: all that it declares. */
export function goldenFile(stack: string): string {
  return path.join(projectDir, "test", "golden", `${stack}.json`);
}

/** The picture of a stack's resources. */
export function graphFile(stack: string): string {
  return path.join(projectDir, "docs", `resources-${stack}.svg`);
}
