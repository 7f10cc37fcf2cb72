import { existsSync, readFileSync, readdirSync } from "node:fs";
import * as path from "node:path";

import { parse } from "yaml";

import { UserError, messageOf } from "../errors";
import { projectDir, shown } from "../paths";

/** A stack's configuration as the engine would hand it to the program. */
export interface StackConfig {
  readonly project: string;
  readonly stack: string;
  readonly config: Readonly<Record<string, string>>;
  /** The keys whose value is a secret, or has one in it. */
  readonly secretKeys: readonly string[];
}

/**
 * Stands in the configuration for a secret, which only its passphrase or key could decrypt. A word that passes for
 * a name, so that a program that looks at the value goes on.
 */
export const undecrypted = "secret-not-decrypted";

/** The stacks that have a file in the folder, in alphabetical order. */
export function stackNames(folder = projectDir): string[] {
  return readdirSync(folder)
    .map((file) => /^Pulumi\.([^.]+)\.yaml$/.exec(file)?.[1])
    .filter((name) => name !== undefined)
    .sort();
}

/**
 * Reads a stack's configuration from its files, `Pulumi.yaml` and `Pulumi.<stack>.yaml`.
 *
 * @throws UserError there is no such stack, or a file cannot be read.
 */
export function readStackConfig(stack: string, folder = projectDir): StackConfig {
  const file = path.join(folder, `Pulumi.${stack}.yaml`);
  const names = stackNames(folder);
  if (!names.includes(stack))
    throw new UserError(
      `there is no stack "${stack}": ${shown(file)} does not exist. There are ${names.join(", ")}.`,
    );
  const projectFile = path.join(folder, "Pulumi.yaml");
  const { name, config: defaults = {} } = readYaml(projectFile);
  if (typeof name !== "string") throw new UserError(`${shown(projectFile)} has no name for the project.`);
  const { config: values = {} } = readYaml(file);
  const config: Record<string, string> = {};
  const secretKeys: string[] = [];
  const all = [...Object.entries(defaults ?? {}).map(projectDefault(name)), ...Object.entries(values ?? {})];
  for (const [key, value] of all) {
    if (value === undefined) continue;
    if (!key.includes(":"))
      throw new UserError(`${shown(file)}: "${key}" has no namespace; write "${name}:${key}".`);
    config[key] = asText(value);
    if (hasSecret(value)) secretKeys.push(key);
  }
  return { project: name, stack, config, secretKeys };
}

function readYaml(file: string): { name?: unknown; config?: Record<string, unknown> | null } {
  if (!existsSync(file)) throw new UserError(`${shown(file)} does not exist.`);
  try {
    return (parse(readFileSync(file, "utf8")) ?? {}) as Record<string, never>;
  } catch (error) {
    throw new UserError(`${shown(file)} is not YAML: ${messageOf(error)}`);
  }
}

/** `Pulumi.yaml` gives values as they are or under `value`, and defaults beside a type; keys need no namespace. */
function projectDefault(project: string) {
  return ([key, value]: [string, unknown]): [string, unknown] => {
    const declared = value as { value?: unknown; default?: unknown; type?: unknown } | null;
    const declaration =
      typeof declared === "object" &&
      declared !== null &&
      ["value", "default", "type"].some((k) => k in declared);
    return [
      key.includes(":") ? key : `${project}:${key}`,
      declaration ? (declared.value ?? declared.default) : value,
    ];
  };
}

/** Text for a single value; JSON with sorted keys, as Go writes it, for anything else. */
function asText(value: unknown): string {
  const shownValue = withoutSecrets(value);
  if (typeof shownValue === "string") return shownValue;
  return shownValue === null ? "" : JSON.stringify(shownValue);
}

function isSecret(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.keys(value).length === 1 &&
    typeof (value as { secure?: unknown }).secure === "string"
  );
}

function hasSecret(value: unknown): boolean {
  if (isSecret(value)) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasSecret);
}

function withoutSecrets(value: unknown): unknown {
  if (isSecret(value)) return undecrypted;
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutSecrets(item)]));
}
