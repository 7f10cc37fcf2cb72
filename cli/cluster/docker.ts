import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { messageOf } from "../errors";

const execute = promisify(execFile);
const defaultHost = "unix:///var/run/docker.sock";

/** A Docker daemon that answers, or why none does. */
export type DockerState =
  | { readonly state: "answers"; readonly platform: string }
  | { readonly state: "silent"; readonly reason: string }
  | { readonly state: "no client" };

/**
 * Asks the daemon that the `docker` on the PATH would use.
 *
 * @param env variables that lead it to another one.
 */
export async function findDocker(
  signal: AbortSignal,
  env: Readonly<Record<string, string>> = {},
): Promise<DockerState> {
  try {
    const platform = await docker(["version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"], signal, env);
    return { state: "answers", platform };
  } catch (error) {
    signal.throwIfAborted();
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT") return { state: "no client" };
    const said = stderr?.trim().split("\n").at(-1);
    return { state: "silent", reason: said === undefined || said === "" ? messageOf(error) : said };
  }
}

/** Whether the daemon has an image. */
export async function daemonHas(reference: string, signal: AbortSignal): Promise<boolean> {
  try {
    await docker(["image", "inspect", "--format", "{{.Id}}", reference], signal);
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/**
 * The environment by which the engine's Docker provider finds the daemon that `docker` uses. The client goes by its
 * current context, of which the provider knows nothing: OrbStack, Colima and Rancher Desktop would be missed.
 */
export async function dockerEnvironment(signal: AbortSignal): Promise<Record<string, string>> {
  if (process.env["DOCKER_HOST"] !== undefined) return {};
  try {
    const host = await docker(["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"], signal);
    return host === "" || host === defaultHost ? {} : { DOCKER_HOST: host };
  } catch {
    signal.throwIfAborted();
    return {};
  }
}

async function docker(
  args: readonly string[],
  signal: AbortSignal,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  // Already aborted, the client would still be started, and then ended.
  signal.throwIfAborted();
  const { stdout } = await execute("docker", args, { signal, env: { ...process.env, ...env } });
  return stdout.trim();
}
