import { type ChildProcess, execFile, spawn } from "node:child_process";
import * as path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

import docker from "@pulumi/docker/package.json";
import kubernetes from "@pulumi/kubernetes/package.json";
import random from "@pulumi/random/package.json";

import type { Engine } from "../../cli/engine/engine";
import { UserError } from "../../cli/errors";
import { ofEngines, signalGroup } from "../../cli/ownProcesses";
import { projectDir } from "../../cli/paths";
import { frontendImage } from "../../components/images/dockerfile";
import { appImages } from "../../config/models";

const execute = promisify(execFile);
const hostScript = path.join(projectDir, "test", "standins", "kubectl", "host.ts");

/** The providers that a run is made with. */
export interface Providers {
  readonly kind: "real" | "stand-in";
  /** Which ones, and why. */
  readonly description: string;
  /** What a command takes that goes on with a stack made by them, as lines for the user. */
  readonly needed: readonly string[];
  stop(): void;
  /** Ends them without a moment's notice, with all that they have begun; the next command finds others. */
  kill(): Promise<void>;
}

/**
 * Chooses the providers: Pulumi's own where they are installed in the versions of the project, else stand-ins that
 * drive the cluster through kubectl and helm. `E2E_PROVIDERS`, `real` or `stand-in`, decides otherwise.
 *
 * @param prebuilt the images that nobody has to build; with all of them Docker is never asked.
 *
 * From here on the engine finds them by this process's environment.
 */
export async function chooseProviders(
  engine: Engine,
  context: string,
  prebuilt: Readonly<Record<string, string>>,
): Promise<Providers> {
  const { E2E_PROVIDERS: named = "" } = process.env;
  const asked = named === "" ? undefined : named;
  if (asked !== undefined && asked !== "real" && asked !== "stand-in")
    throw new UserError(`E2E_PROVIDERS is ${asked}; it must be real or stand-in.`);
  const built = [...appImages, frontendImage].every((name) => name in prebuilt);
  const needed = { kubernetes, random, ...(built ? {} : { docker }) };
  const names = Object.entries(needed).map(([name, { version }]) => `${name} ${version}`);
  const missing = asked === "stand-in" ? [] : await notInstalled(engine, names);
  if (asked === "real" || (asked === undefined && missing.length === 0)) {
    const description = `real plugins: ${names.join(", ")}`;
    return { kind: "real", description, needed: [], stop: () => undefined, kill: killPlugins };
  }
  const reason = missing.length > 0 ? `not installed: ${missing.join(", ")}` : "asked for";
  return { ...(await startStandIns(context)), description: `stand-ins through kubectl and helm (${reason})` };
}

async function notInstalled({ file }: Engine, wanted: readonly string[]): Promise<string[]> {
  const { stdout } = await execute(file, ["plugin", "ls", "--json"]);
  const plugins = JSON.parse(stdout) as { name: string; kind: string; version?: string }[];
  const installed = plugins
    .filter(({ kind }) => kind === "resource")
    .map(({ name, version = "" }) => `${name} ${version}`);
  return wanted.filter((one) => !installed.includes(one));
}

/** The engine has started them itself. */
function killPlugins(): Promise<void> {
  for (const { pid, value } of ofEngines()) if (String(pid) !== value) process.kill(pid, "SIGKILL");
  return Promise.resolve();
}

async function startStandIns(context: string): Promise<Omit<Providers, "description">> {
  let child = await startHost(context);
  const end = (signal: NodeJS.Signals) => {
    if (child.pid !== undefined && child.exitCode === null) signalGroup(child.pid, signal);
  };
  const stop = () => {
    end("SIGTERM");
  };
  process.once("exit", stop);
  const needed = [
    `It was made by stand-ins: start them, and set PULUMI_DEBUG_PROVIDERS to what they print:`,
    `  node --require ./load.cjs ${path.relative(projectDir, hostScript)} ${context}`,
  ];
  const kill = async () => {
    end("SIGKILL");
    child = await startHost(context);
  };
  return { kind: "stand-in", needed, stop, kill };
}

/** Starts the stand-ins, in a group of their own with all that they call, and tells the engine where they are. */
async function startHost(context: string): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    ["--require", path.join(projectDir, "load.cjs"), hostScript, context],
    // Charts in a folder are named from the project's.
    { cwd: projectDir, stdio: ["ignore", "pipe", "inherit"], detached: true },
  );
  process.env["PULUMI_DEBUG_PROVIDERS"] = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once("line", resolve);
    child.once("error", reject);
    child.once("exit", () => {
      reject(new Error("the stand-in providers do not start"));
    });
  });
  return child;
}
