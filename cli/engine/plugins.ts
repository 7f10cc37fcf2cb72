import { homedir } from "node:os";
import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";

import { UserError, messageOf } from "../errors";
import { homeDir, projectDir } from "../paths";
import { run } from "../process";
import type { Step } from "../progress";
import type { Engine } from "./engine";

/** A provider, as a program of its own that the engine starts. */
export interface Plugin {
  readonly name: string;
  /** That of the package that the program is written with. */
  readonly version: string;
}

/** The providers of the resources with these types, in the versions of the project's packages. */
export function pluginsFor(types: Iterable<string>): Plugin[] {
  const packages = [...types].map((type) => type.split(":")[0] ?? "");
  // The engine itself makes what is of the package "pulumi".
  const names = new Set(packages.filter((name) => name !== "pulumi" && isPackage(name)));
  return [...names].sort().map((name) => ({ name, version: packageVersion(name) }));
}

/**
 * Installs the providers that are missing, side by side. Those that a debugger serves (PULUMI_DEBUG_PROVIDERS) are
 * there.
 *
 * @throws UserError one cannot be had.
 */
export async function installPlugins(
  { file }: Engine,
  wanted: readonly Plugin[],
  step: Step,
  signal: AbortSignal,
): Promise<void> {
  const attached = (process.env["PULUMI_DEBUG_PROVIDERS"] ?? "").split(",").map((one) => one.split(":")[0]);
  const missing = wanted.filter(
    ({ name, version }) => !attached.includes(name) && !isInstalled(name, version),
  );
  const title = missing.map(({ name, version }) => `${name} ${version}`).join(", ");
  if (missing.length === 0) {
    step.detail(
      wanted
        .map(({ name, version }) => `${name} ${attached.includes(name) ? "attached" : version}`)
        .join(", "),
    );
    return;
  }
  step.detail(`fetching ${title}`);
  const failed = await Promise.all(missing.map((plugin) => install(file, plugin, signal)));
  signal.throwIfAborted();
  const problems = failed.filter((message) => message !== undefined);
  if (problems.length > 0) {
    throw new UserError(
      `providers cannot be fetched:\n${problems.map((message) => `  ${message}`).join("\n")}\n` +
        `They come from get.pulumi.com and github.com. Behind a proxy, set HTTPS_PROXY; without a way there, put them ` +
        `into ${pluginDir()} by hand (pulumi plugin install resource NAME VERSION --file …).`,
    );
  }
  step.detail(`fetched ${title}`);
}

/** Installs one. @returns why it cannot be; undefined if it is there now. */
async function install(
  file: string,
  { name, version }: Plugin,
  signal: AbortSignal,
): Promise<string | undefined> {
  const args = ["plugin", "install", "resource", name, version, "--non-interactive"];
  const log = path.join(homeDir(), "logs", `plugin-${name}.log`);
  try {
    await run(
      {
        ...{ name: `plugin ${name} ${version}`, file, args, log },
        env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
      },
      signal,
    );
    return undefined;
  } catch (error) {
    const last = messageOf(error)
      .split("\n")
      .find((line) => line.includes("error:"));
    return `${name} ${version}: ${last?.replace(/^.*?error:\s*/, "").trim() ?? messageOf(error).split("\n", 1)[0] ?? ""}`;
  }
}

function pluginDir(): string {
  return path.join(process.env["PULUMI_HOME"] ?? path.join(homedir(), ".pulumi"), "plugins");
}

/** The folder appears first and the mark `.partial` beside it goes last. */
function isInstalled(name: string, version: string): boolean {
  const folder = path.join(pluginDir(), `resource-${name}-v${version}`);
  return existsSync(folder) && !existsSync(`${folder}.partial`);
}

function isPackage(name: string): boolean {
  return existsSync(packageFile(name));
}

function packageVersion(name: string): string {
  return (JSON.parse(readFileSync(packageFile(name), "utf8")) as { version: string }).version;
}

function packageFile(name: string): string {
  return path.join(projectDir, "node_modules", "@pulumi", name, "package.json");
}
