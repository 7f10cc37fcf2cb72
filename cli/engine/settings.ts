import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import * as path from "node:path";

import { parseDocument, stringify } from "yaml";

import { readText } from "../../config/readText";
import { parsedJson } from "../../config/json";
import { UserError } from "../errors";
import { homeDir, project, projectDir, shown } from "../paths";
import { environmentsOf } from "../plan/environments";
import { withoutLegacyPart } from "../plan/stackFiles";
import { writeWhole } from "../wholeFile";
import { readYamlFile } from "../yamlFile";
import type { Owner } from "./owner";

/** A stack's settings, `Pulumi.<stack>.yaml`, as far as they are used here. */
interface Settings {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly environment?: unknown;
  readonly secretsprovider?: string;
  readonly encryptedkey?: string;
  readonly encryptionsalt?: string;
}

/** What holds on this machine only. */
export interface Overrides {
  /** @default the one that the stack names */
  readonly context?: string;
  /** Images that the cluster has already, by name. */
  readonly prebuilt: Readonly<Record<string, string>>;
  /**
   * Of the Docker daemon that builds the others: `linux/arm64`.
   * @default not known; each image stays as it was built before
   */
  readonly daemonPlatform?: string | undefined;
}

const encryptionKeys = ["secretsprovider", "encryptedkey", "encryptionsalt"] as const;

/** Folder of what belongs to a stack on this machine. */
export function stackDir(stack: string, ...parts: string[]): string {
  return path.join(homeDir(), "stacks", stack, ...parts);
}

/** The settings that the engine is given. */
export function settingsFile(stack: string): string {
  return stackDir(stack, `Pulumi.${stack}.yaml`);
}

/** Whether the stack's own file says how secrets are encrypted, and so needs the passphrase or key of its author. */
export function encryptsItself(stack: string): boolean {
  const written = read(path.join(projectDir, `Pulumi.${stack}.yaml`));
  return encryptionKeys.some((key) => written[key] !== undefined);
}

/** Whether it does so with a passphrase. */
export function hasOwnSalt(stack: string): boolean {
  return read(path.join(projectDir, `Pulumi.${stack}.yaml`)).encryptionsalt !== undefined;
}

/**
 * Writes the settings for the engine: the stack's own, what holds on this machine only, and the salt of this
 * machine's passphrase. All that is kept out of the stack's own file, which is everyone's.
 */
export function writeSettings(stack: string, overrides: Overrides, owner?: Owner): void {
  const written = read(path.join(projectDir, `Pulumi.${stack}.yaml`));
  const encryption = encryptsItself(stack) ? written : read(settingsFile(stack));
  mkdirSync(stackDir(stack), { recursive: true });
  writeWhole(stackDir(stack, "Pulumi.yaml"), readText(path.join(projectDir, "Pulumi.yaml")));
  const kept = encryptionKeys.flatMap((key) =>
    encryption[key] === undefined ? [] : [[key, encryption[key]] as const],
  );
  writeWhole(
    settingsFile(stack),
    yamlOf({
      ...Object.fromEntries(kept),
      // An empty one would have the engine look for a service that opens it.
      ...(environmentsOf(written.environment).length === 0 ? {} : { environment: written.environment }),
      config: {
        ...written.config,
        ...configOf(written, overrides),
        ...(owner === undefined ? {} : { [`${project}:owner`]: owner }),
      },
    }),
  );
}

/**
 * Lines of JSON, which is YAML too, and which every reader of YAML reads alike: without its quotes Pulumi would take some
 * texts for a date or a number (pulumi/pulumi#11518), and what ends a line, or may not stand in YAML, is written by its
 * number.
 */
function yamlOf(settings: object): string {
  const lines = Object.entries(settings).map(
    ([key, value]) => `${key}: ${JSON.stringify(value, undefined, 2).replaceAll("\n", "\n  ")}\n`,
  );
  return lines
    .join("")
    .replaceAll(
      /[\u007f-\u00a0\u2028\u2029\ufeff\ufffe\uffff]/g,
      (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
}

/** The stacks whose secrets are encrypted with this machine's passphrase. */
export function saltedStacks(): string[] {
  const folder = path.join(homeDir(), "stacks");
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  return names.filter((name) => read(settingsFile(name)).encryptionsalt !== undefined);
}

/**
 * Gives the stack's own file the salt that this machine has for the stack, unless it says by itself how secrets are
 * encrypted: so the secrets of the file and those of the state have one passphrase and one salt.
 */
export function shareSalt(stack: string): void {
  const { encryptionsalt } = read(settingsFile(stack));
  if (encryptionsalt === undefined || encryptsItself(stack)) return;
  const file = path.join(projectDir, `Pulumi.${stack}.yaml`);
  const text = readText(file);
  const line = `${text.endsWith("\n") ? "" : "\n"}${stringify({ encryptionsalt })}`;
  if (parseDocument(text + line).errors.length > 0)
    throw new UserError(
      `${shown(file)} cannot take a line for the salt at its end: begin it with config: on a line of its own.`,
    );
  // In its place, so that its rights stay, and a link one.
  appendFileSync(file, line);
}

/** The context that the stack was last brought up in from here; undefined if it was not, or is down again. */
export function keptContext(stack: string): string | undefined {
  try {
    return readText(stackDir(stack, "context")).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Remembers where the stack is, before anything is made there. */
export function keepContext(stack: string, context: string): void {
  mkdirSync(stackDir(stack), { recursive: true });
  writeWhole(stackDir(stack, "context"), `${context}\n`);
}

/** Forgets where the stack was, once nothing is there any more. */
export function forgetContext(stack: string): void {
  rmSync(stackDir(stack, "context"), { force: true });
}

/** Names of the project's images that the last run has itself brought into the cluster. */
export function keptImages(stack: string): string[] {
  const prebuilt = ({ config = {} }: Settings) => Object.keys(imagesOf(config).prebuilt ?? {});
  const written = prebuilt(read(path.join(projectDir, `Pulumi.${stack}.yaml`)));
  return prebuilt(read(settingsFile(stack))).filter((name) => !written.includes(name));
}

function configOf({ config = {} }: Settings, overrides: Overrides): Record<string, unknown> {
  const { context, prebuilt, daemonPlatform } = overrides;
  const images = imagesOf(config);
  const own = {
    ...(Object.keys(prebuilt).length === 0 ? {} : { prebuilt: { ...images.prebuilt, ...prebuilt } }),
    ...(daemonPlatform === undefined ? {} : { daemonPlatform }),
  };
  return {
    ...(context === undefined ? {} : { [`${project}:context`]: context }),
    ...(Object.keys(own).length === 0 ? {} : { [`${project}:images`]: { ...images, ...own } }),
  };
}

/** What a configuration says of images; `pulumi config set` may have written it as JSON. */
function imagesOf(config: Readonly<Record<string, unknown>>): { readonly prebuilt?: object } {
  const images = config[`${project}:images`] ?? {};
  return (typeof images === "string" ? parsedJson(images) : images) as { readonly prebuilt?: object };
}

function read(file: string): Settings {
  if (!existsSync(file)) return {};
  const { config, ...others } = readYamlFile(file).content;
  // One key has one form, or what holds on this machine would stand beside what the file says.
  const entries = Object.entries(config ?? {}).map(withoutLegacyPart);
  return config === undefined ? others : { ...others, config: Object.fromEntries(entries) };
}
