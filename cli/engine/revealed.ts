import { existsSync } from "node:fs";

import { UserError } from "../errors";
import { projectDir } from "../paths";
import { CommandFailed, engineCommand } from "./command";
import type { Engine } from "./engine";
import { referenceOf } from "./reference";
import { settingsFile } from "./settings";
import { EngineStack } from "./stack";

/** A configuration with its secrets in plain text. It is not to be kept. */
export interface RevealedConfig {
  /** Texts by their key; of a group, its JSON. */
  readonly config: Readonly<Record<string, string>>;
  /** The keys that are secret, or have a secret in their group. */
  readonly secretKeys: readonly string[];
}

/**
 * The configuration of a stack as only the engine can read it: that of its own file, decrypted, and what it takes from
 * environments of Pulumi ESC.
 *
 * @param must whether the stack is made if it is not there, or must be. @default made
 * @throws UserError it cannot be decrypted here, or an environment not be opened.
 */
export async function revealedConfig(
  stack: string,
  engine: Engine,
  must: "made" | "there" = "made",
): Promise<RevealedConfig> {
  const overrides = existsSync(settingsFile(stack)) ? undefined : { prebuilt: {} };
  const { backend } = await EngineStack.open(stack, engine, overrides, must);
  const command = await engineCommand(engine);
  try {
    const args = ["config", "--show-secrets", "--json", "--stack", referenceOf(stack, backend)];
    const { stdout } = await command.run(args, projectDir, backend.env);
    const all = Object.entries(JSON.parse(stdout) as Record<string, { value: string; secret: boolean }>);
    return {
      config: Object.fromEntries(all.map(([key, { value }]) => [key, value])),
      secretKeys: all.flatMap(([key, { secret }]) => (secret ? [key] : [])),
    };
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    const { stderr } = error.written;
    throw new UserError(`Pulumi's engine cannot read Pulumi.${stack}.yaml: ${stderr.trim()}`);
  }
}
