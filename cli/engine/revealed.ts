import { existsSync } from "node:fs";

import { UserError } from "../errors";
import { projectDir } from "../paths";
import { CommandFailed, engineCommand } from "./command";
import type { Engine } from "./engine";
import { referenceOf } from "./reference";
import { settingsFile } from "./settings";
import { EngineStack } from "./stack";

/**
 * The configuration in a stack's own file with its secrets in plain text, as only the engine can read it. It is not to be
 * kept.
 *
 * @returns texts by their key; of a group, its JSON.
 * @throws UserError they cannot be decrypted here.
 */
export async function revealedConfig(stack: string, engine: Engine): Promise<Record<string, string>> {
  const overrides = existsSync(settingsFile(stack)) ? undefined : { prebuilt: {} };
  const { backend } = await EngineStack.open(stack, engine, overrides);
  const command = await engineCommand(engine);
  try {
    const args = ["config", "--show-secrets", "--json", "--stack", referenceOf(stack, backend)];
    const { stdout } = await command.run(args, projectDir, backend.env);
    const entries = Object.entries(JSON.parse(stdout) as Record<string, { value: string }>);
    return Object.fromEntries(entries.map(([key, { value }]) => [key, value]));
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    const { stderr } = error.written;
    throw new UserError(`the secrets of Pulumi.${stack}.yaml cannot be decrypted: ${stderr.trim()}`);
  }
}
