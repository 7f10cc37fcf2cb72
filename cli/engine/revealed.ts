import { existsSync } from "node:fs";

import type { Engine } from "./engine";
import { settingsFile } from "./settings";
import { EngineStack } from "./stack";

/**
 * A stack's configuration with its secrets in plain text, as only the engine can read it. It is not to be kept.
 *
 * @throws UserError they cannot be decrypted here.
 */
export async function revealedConfig(stack: string, engine: Engine): Promise<Record<string, string>> {
  const overrides = existsSync(settingsFile(stack)) ? undefined : { prebuilt: {} };
  return (await EngineStack.open(stack, engine, overrides)).config();
}
