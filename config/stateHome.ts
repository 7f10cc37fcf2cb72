import * as path from "node:path";

/** Where what belongs to this machine is kept; `MLPLATFORM_HOME` moves it. */
export function stateHome(): string {
  const { MLPLATFORM_HOME: named = "" } = process.env;
  // Empty, it would be the folder that somebody happens to be in.
  return named === "" ? path.join(path.dirname(__dirname), ".mlplatform") : named;
}
