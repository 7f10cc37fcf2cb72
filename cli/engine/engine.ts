import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { readText } from "../../config/readText";
import { UserError, messageOf } from "../errors";
import { isExecutable, onPath } from "../onPath";
import { homeDir, projectDir, shown } from "../paths";
import { run } from "../process";
import type { Step } from "../progress";

const execute = promisify(execFile);

/** The Go manifest that pins the engine and everything it is built from. */
const toolsDir = path.join(projectDir, "tools");
const enginePackage = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
const versionVariable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";
/** Older ones know neither all of the commands that are used here nor all that the Node SDK asks for. */
const oldestMinor = 200;
/** The installer fetches 200 MB. */
const installSeconds = 600;

/** A Pulumi CLI, which is the engine, that runs on this machine. */
export interface Engine {
  readonly file: string;
  /** As `pulumi version` says it, without the v: 3.250.0. */
  readonly version: string;
  /** Where it was found: on the PATH, in the project's own folder, or put there just now. */
  readonly origin: "path" | "own" | "installed" | "built";
}

/** What the engine in the project's folder was built from, written beside it when it is complete. */
interface Built {
  readonly manifest: string;
}

/** The folder of the engine that is the project's own. `pulumi` is in its `bin`, as the Automation API expects it. */
export function engineRoot(): string {
  return homeDir();
}

/** The Pulumi CLI on the PATH or in the project's own folder; if there is none that fits, what was rejected and why. */
export async function findEngine(): Promise<Engine | { readonly rejected: readonly string[] }> {
  const rejected: string[] = [];
  const candidates = [
    { file: onPath("pulumi"), origin: "path" },
    { file: ownEngine(), origin: "own" },
  ] as const;
  for (const { file, origin } of candidates) {
    if (file === undefined) continue;
    const version = await versionOf(file);
    if (version !== undefined && fits(version)) return { file, version, origin };
    rejected.push(`${shown(file)} ${version === undefined ? "does not run" : `is ${version}`}`);
  }
  return { rejected };
}

/**
 * Finds the Pulumi CLI, on the PATH or in the project's own folder, or else puts it there: with Pulumi's own installer,
 * or where that cannot be had, built from its Go modules, which takes about four minutes of a processor.
 *
 * @throws UserError there is none, and none can be had; says what was looked for and how to get one.
 */
export async function findOrBuildEngine(step: Step, signal: AbortSignal): Promise<Engine> {
  const found = await findEngine();
  if ("file" in found) return found;
  const installed = await install(step, signal);
  if (typeof installed !== "string") return installed;
  return build(step, signal, [...found.rejected, `the installer failed: ${installed}`]);
}

/** Runs Pulumi's installer. @returns the engine, or why there is none. */
async function install(step: Step, signal: AbortSignal): Promise<Engine | string> {
  step.detail("fetching the Pulumi CLI from get.pulumi.com");
  try {
    const { PulumiCommand } = await import("@pulumi/pulumi/automation/index.js");
    const late = sleep(installSeconds * 1000, undefined, { signal, ref: false }).then(() => {
      throw new Error(`it has not ended after ${installSeconds} s`);
    });
    await Promise.race([PulumiCommand.install({ root: engineRoot() }), late]);
  } catch (error) {
    signal.throwIfAborted();
    return messageOf(error).split("\n", 1)[0] ?? "";
  }
  // What an earlier build has left there says nothing of this one.
  rmSync(`${ownFile()}.json`, { force: true });
  const version = await versionOf(ownFile());
  if (version === undefined) return `${shown(ownFile())}, which it has installed, does not run`;
  return { file: ownFile(), version, origin: "installed" };
}

function ownFile(): string {
  return path.join(engineRoot(), "bin", "pulumi");
}

/** The engine in the project's folder, unless it was built there from another manifest than the present one. */
function ownEngine(): string | undefined {
  const file = ownFile();
  if (!isExecutable(file)) return undefined;
  const built = readBuilt();
  return built === undefined || built.manifest === manifestDigest() ? file : undefined;
}

/** Undefined if the engine was not built here: put there by hand, or by the Automation API's installer. */
function readBuilt(): Built | undefined {
  try {
    return JSON.parse(readText(`${ownFile()}.json`)) as Built;
  } catch {
    return undefined;
  }
}

function manifestDigest(): string {
  const hash = createHash("sha256");
  for (const name of ["go.mod", "go.sum"]) hash.update(readFileSync(path.join(toolsDir, name)));
  return hash.digest("hex");
}

/** The version that the manifest pins, with its v. */
function pinnedVersion(): string {
  const manifest = readText(path.join(toolsDir, "go.mod"));
  const version = /github\.com\/pulumi\/pulumi\/pkg\/v3 (v\S+)/.exec(manifest)?.[1];
  if (version === undefined) throw new Error("tools/go.mod does not say which version of the engine it pins");
  return version;
}

async function versionOf(file: string): Promise<string | undefined> {
  try {
    const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
    const { stdout } = await execute(file, ["version"], { env, timeout: 60_000 });
    return stdout.trim().replace(/^v/, "") || undefined;
  } catch {
    return undefined;
  }
}

function fits(version: string): boolean {
  const [major, minor] = version.split(".").map(Number);
  return major === 3 && (minor ?? 0) >= oldestMinor;
}

async function build(step: Step, signal: AbortSignal, rejected: readonly string[]): Promise<Engine> {
  const go = onPath("go");
  const found = rejected.length > 0 ? ` (${rejected.join(", ")})` : "";
  const mend =
    "Install it: https://www.pulumi.com/docs/install/ (or Go, to have it built: https://go.dev/dl/)";
  const looked = `on the PATH or in ${shown(path.dirname(ownFile()))}${found}`;
  if (go === undefined) {
    throw new UserError(
      `there is no Pulumi CLI 3.${oldestMinor} or newer ${looked}, and no Go to build it with. ${mend}.`,
    );
  }
  const version = pinnedVersion();
  const partial = path.join(path.dirname(ownFile()), `pulumi.partial-${process.pid}`);
  mkdirSync(path.dirname(partial), { recursive: true });
  step.detail(`building Pulumi ${version} from its Go modules; the first time takes minutes`);
  try {
    await goBuild(go, version, partial, step, signal);
    // The marker goes first: without it, a build that is cut off here would count as put there by hand.
    writeFileSync(`${ownFile()}.json`, `${JSON.stringify({ manifest: manifestDigest() } satisfies Built)}\n`);
    renameSync(partial, ownFile());
  } catch (error) {
    signal.throwIfAborted();
    throw new UserError(
      `there is no Pulumi CLI 3.${oldestMinor} or newer ${looked}, and building it failed: ${messageOf(error)}\n` +
        `  ${mend}.`,
    );
  } finally {
    rmSync(partial, { force: true });
  }
  return { file: ownFile(), version: version.replace(/^v/, ""), origin: "built" };
}

async function goBuild(
  go: string,
  version: string,
  output: string,
  step: Step,
  signal: AbortSignal,
): Promise<void> {
  const flags = ["-trimpath", "-v", "-ldflags", `-s -w -X ${versionVariable}=${version}`];
  await run(
    {
      name: "Go",
      file: go,
      args: ["build", "-C", toolsDir, ...flags, "-o", output, enginePackage],
      // Go alone: a C compiler is not asked for, and no Go workspace around the project meddles.
      env: { ...process.env, CGO_ENABLED: "0", GOWORK: "off" },
      log: path.join(homeDir(), "logs", "engine-build.log"),
    },
    signal,
    (line) => {
      step.detail(`building Pulumi ${version} from its Go modules: ${line.slice(0, 60)}`);
    },
  );
}
