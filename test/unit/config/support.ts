import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import * as pulumi from "@pulumi/pulumi";

import { readStackConfig, type StackConfig } from "../../../cli/plan/stackFiles";
import { loadConfig, type PlatformConfig } from "../../../config";
import program from "../../../index";
import { record } from "../support/recorder";

/** Reads what would stand in `Pulumi.<stack>.yaml` below `config:`, as the engine hands it to the program. */
export function stackConfig(config: string, stack = "dev"): StackConfig {
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-config-"));
  try {
    const indented = config.replaceAll(/^(?=.)/gm, "  ");
    writeFileSync(path.join(folder, "Pulumi.yaml"), "name: mlplatform\n");
    writeFileSync(path.join(folder, `Pulumi.${stack}.yaml`), `config:\n${indented}\n`);
    return readStackConfig(stack, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What came of the program. */
export interface Outcome {
  /** Type and name of each resource that was asked for, the stack itself left out. */
  readonly registered: readonly string[];
  readonly error: unknown;
}

/** Runs the whole program with a configuration. */
export async function run(config: StackConfig): Promise<Outcome> {
  const registered: string[] = [];
  const watched = () => {
    pulumi.runtime.registerStackTransformation(({ type, name }) => {
      registered.push(`${type} ${name}`);
      return undefined;
    });
    return program("assume");
  };
  try {
    await record(watched, config.config, config);
    return { registered, error: undefined };
  } catch (error) {
    return { registered, error };
  }
}

/** The resolved configuration. */
export async function load(config: StackConfig): Promise<PlatformConfig> {
  let loaded: PlatformConfig | undefined;
  await record(
    () => {
      loaded = loadConfig();
    },
    config.config,
    config,
  );
  if (loaded === undefined) throw new Error("The program did not run.");
  return loaded;
}

/** All values of a configuration by their place, as the documentation writes it but for indices: `models[0].name`. */
export function flat(value: unknown, place = ""): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Object.keys(value).length === 0)
    return { [place]: value };
  if (pulumi.Output.isInstance(value)) return { [place]: value };
  const entries = Object.entries(value).map(([key, item]) => {
    const below = Array.isArray(value) ? `${place}[${key}]` : `${place}.${key}`;
    return flat(item, place === "" ? key : below);
  });
  return Object.assign({}, ...entries) as Record<string, unknown>;
}
