import { readdirSync } from "node:fs";
import * as path from "node:path";

import { trainedBy } from "../../config/manifests";
import { namespace, placeOf } from "../../config/mistakes";
import { plainTexts } from "../../config/plainSecrets";
import { undecrypted } from "../../config/secretWords";
import type { Path } from "../../config/walk";
import { nearest } from "../../config/words";
import { UserError } from "../errors";
import { repeatedKey } from "../exactJson";
import { projectDir, shown } from "../paths";
import { environmentProblems, environmentsOf, withOpened } from "./environments";
import { type Misread, type YamlFile, readYamlFile } from "../yamlFile";

/** A stack's configuration as the engine would hand it to the program. */
export interface StackConfig {
  readonly project: string;
  readonly stack: string;
  readonly config: Readonly<Record<string, string>>;
  /** The places of the secrets: a key whose value is one, or a place below it: `mlplatform:database.password`. */
  readonly secretKeys: readonly string[];
  /** The environments of Pulumi ESC that give it further values, which only the engine can read. */
  readonly environments: readonly string[];
}

/** As the engine checks it: `ParseStackName` in its `sdk/go/common/tokens/names.go`. */
const stackName = /^[\w.-]{1,100}$/;

/** The stacks that have a file in the folder, in alphabetical order. */
export function stackNames(folder = projectDir): string[] {
  return readdirSync(folder)
    .map((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1])
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
  if (!stackName.test(stack))
    throw new UserError(
      `"${stack}" is no name of a stack for Pulumi: it has 1 to 100 letters from a to z, digits, dots, dashes and underscores. ` +
        "Rename the file.",
    );
  const projectFile = path.join(folder, "Pulumi.yaml");
  const project = readYamlFile(projectFile);
  const { name } = project.content;
  if (typeof name !== "string") throw new UserError(`${shown(projectFile)} has no name for the project.`);
  const settings = readYamlFile(file);
  const defaults = Object.entries(configOf(project)).map(projectDefault(name));
  const all = [...defaults, ...Object.entries(configOf(settings)).map(withoutLegacyPart)];
  const problems = [
    ...misread(projectFile, project),
    ...misread(file, settings),
    ...[
      ...unknownSettings(settings),
      ...wrongEncryption(settings),
      ...environmentProblems(settings.content["environment"]),
      ...wrongKeys(settings, name),
      ...plainEnvironment(settings),
    ].map((problem) => `${shown(file)}: ${problem}`),
    ...[...notEncrypted(all), ...repeatedInJson(all)].map((problem) => `${shown(file)}: ${problem}`),
  ];
  if (problems.length > 0) throw new UserError(problems.join("\n"));
  const config: Record<string, string> = {};
  const secretKeys: string[] = [];
  for (const [key, value] of all) {
    if (value === undefined) continue;
    config[key] = asText(value);
    secretKeys.push(...placesOfSecrets(value, [key]).map(placeOf));
  }
  const environments = environmentsOf(settings.content["environment"]);
  return withOpened({ project: name, stack, config, secretKeys, environments });
}

function configOf({ content }: YamlFile): Readonly<Record<string, unknown>> {
  const config = content["config"] ?? {};
  return typeof config === "object" ? (config as Record<string, unknown>) : {};
}

/** What Pulumi would read otherwise than it was meant, and than the preview shows it. */
function misread(file: string, { misread: found, rewritten, content }: YamlFile): string[] {
  const texts = rewritten.filter(({ path }) => isText(path.slice(1), content));
  return [...found, ...texts]
    .filter(({ path: [top] }) => top === "config")
    .map(({ path: [, ...below], message }) => `${shown(file)}: ${placeOf(below)} ${message}.`);
}

/** Whether a value is taken as a text, whatever it looks like: one of a key itself, or a parameter of a training of others. */
function isText([key = "", ...below]: Misread["path"], content: YamlFile["content"]): boolean {
  // Other programs' own may be numbers.
  if (!String(key).startsWith(`${namespace}:`)) return false;
  if (below.length === 0) return true;
  const [index = "", part, group] = below;
  if (!String(key).endsWith(":models") || part !== "training" || group !== "parameters") return false;
  const models = (content["config"] as Record<string, { training?: { image?: string } }[]>)[key];
  return trainedBy(models?.[Number(index)]?.training?.image) === undefined;
}

const encryptionKeys = ["secretsprovider", "encryptedkey", "encryptionsalt"];

/** How the secrets are encrypted, where that is no text. */
function wrongEncryption({ content }: YamlFile): string[] {
  return encryptionKeys
    .filter((key) => (content[key] ?? "") !== "" && typeof content[key] !== "string")
    .map((key) => `${key} must be a text.`);
}

/** Pulumi ignores what it does not know, and with `confg:` all of a stack's configuration. */
function unknownSettings({ content }: YamlFile): string[] {
  const known = ["config", ...encryptionKeys, "environment"];
  return Object.keys(content)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const suggested = nearest(key, known);
      return `"${key}" is not known; ${suggested === undefined ? `known are ${known.join(", ")}.` : `did you mean ${suggested}?`}`;
    });
}

/** Keys that Pulumi refuses, or of which it takes one at random. */
function wrongKeys({ content }: YamlFile, project: string): string[] {
  const { config = {} } = content;
  if (config === null) return [];
  if (typeof config !== "object" || Array.isArray(config)) return ["config must be a group of keys."];
  const seen = new Set<string>();
  return Object.entries(config)
    .map(withoutLegacyPart)
    .flatMap(([key]) => {
      if (key === project)
        return [`"${key}" is the namespace and no key: write each key below it as "${project}:name".`];
      if (!key.includes(":")) return [`"${key}" has no namespace; write "${project}:${key}".`];
      if (!/^[^:]+:[^:]+$/.test(key))
        return [`"${key}" has more than one colon: a key is "${project}:name".`];
      if (seen.has(key)) return [`"${key}" stands there twice, once with ":config:" in it.`];
      seen.add(key);
      return [];
    });
}

/** Keys that a value written as JSON has twice, of which JSON takes the last. */
function repeatedInJson(all: readonly (readonly [string, unknown])[]): string[] {
  return all.flatMap(([key, text]) => {
    const name = typeof text === "string" ? repeatedKey(text) : undefined;
    return name === undefined ? [] : [`${key} has "${name}" twice: keep one.`];
  });
}

/** Secrets in plain text among the values of an environment of Pulumi ESC that stands in the stack's file. */
function plainEnvironment({ content }: YamlFile): string[] {
  const { values } = (content["environment"] ?? {}) as { readonly values?: unknown };
  return plainTexts(values)
    .filter((place) => !place.includes("fn::secret"))
    .map(
      (place) =>
        `environment.values.${place.join(".")} is a secret in plain text: write it below fn::secret, and have it encrypted by pulumi config env.`,
    );
}

/** Pulumi still takes the keys that its first versions wrote: `project:config:key`. */
export function withoutLegacyPart([key, value]: [string, unknown]): [string, unknown] {
  return [key.replace(/^([^:]+):config:/, "$1:"), value];
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

/** What Pulumi has encrypted: by a passphrase or a service for keys `v1:…:…`, by Pulumi Cloud base64. */
const ciphertext = /^(?:v\d+:[\w+/]+=*:[\w+/]+=*|[\w+/]{38,}={0,2})$/;

/** Plain text where Pulumi keeps what it has encrypted. */
function notEncrypted(all: readonly (readonly [string, unknown])[]): string[] {
  return all
    .flatMap(([key, value]) => placesOfSecrets(value, [key], (text) => !ciphertext.test(text)))
    .map(
      (place) =>
        `${placeOf([...place, "secure"])} is plain text, and what stands there has been encrypted: set it by npm run secret.`,
    );
}

function isSecret(value: unknown): value is { readonly secure: string } {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.keys(value).length === 1 &&
    typeof (value as { secure?: unknown }).secure === "string"
  );
}

function placesOfSecrets(value: unknown, at: Path, matches: (text: string) => boolean = () => true): Path[] {
  if (isSecret(value)) return matches(value.secure) ? [at] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    placesOfSecrets(item, [...at, Array.isArray(value) ? Number(key) : key], matches),
  );
}

function withoutSecrets(value: unknown): unknown {
  if (isSecret(value)) return undecrypted;
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutSecrets(item)]));
}
