import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";

import { usersBackend } from "../engine/backend";
import { referenceOf } from "../engine/reference";
import type { Interrupted } from "../errors";
import { onInterruption, stopMilliseconds } from "../interruption";
import { onPath } from "../onPath";
import { projectDir } from "../paths";

const execute = promisify(execFile);
/** A backend that does not answer must not hold up a preview that needs none. */
const answerMilliseconds = 10_000;

/** Who makes the preview: Pulumi, against a stack's state, or this program alone. */
export type PreviewEngine =
  | { readonly engine: "pulumi"; readonly file: string; readonly stack: string }
  | { readonly engine: "none"; readonly stack: string; readonly reason: string };

/**
 * Chooses the engine and the stack: Pulumi's CLI if it is there and knows the stack, and the stack that is selected
 * there if none is named. Nothing is changed, logged in to or asked for.
 *
 * @param named the stack that was asked for.
 * @param offline leaves the CLI alone.
 */
export async function choosePreview(named: string | undefined, offline: boolean): Promise<PreviewEngine> {
  const none = (reason: string) => ({ engine: "none", stack: named ?? "dev", reason }) as const;
  if (offline) return none("asked for");
  const file = onPath("pulumi");
  if (file === undefined) return none("no Pulumi CLI is on the PATH");
  const known = await stacksOf(file);
  if (typeof known === "string") return none(`the Pulumi CLI lists no stacks (${known})`);
  const stack = named ?? known.find(({ current }) => current)?.name;
  if (stack === undefined) return none("no stack is selected in the Pulumi CLI");
  return known.some(({ name }) => name === stack)
    ? { engine: "pulumi", file, stack }
    : none(`the Pulumi CLI knows no stack ${stack}; pulumi stack init ${stack} makes one`);
}

/** Runs `pulumi preview` in this terminal. @returns its exit code. */
export function pulumiPreview(
  { file, stack }: { readonly file: string; readonly stack: string },
  options: readonly string[],
): Promise<number> {
  const child = spawn(
    file,
    ["preview", "--stack", referenceOf(stack, { url: usersBackend() ?? "" }), ...options],
    { cwd: projectDir, stdio: "inherit" },
  );
  // It changes nothing, and need not bring anything to its end.
  const { signal, within, dispose } = onInterruption(() => child.kill("SIGKILL"));
  signal.addEventListener("abort", () => child.kill("SIGTERM"), { once: true });
  within(stopMilliseconds);
  return new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      if (signal.aborted) reject(signal.reason as Interrupted);
      else resolve(code ?? 1);
    });
  }).finally(dispose);
}

interface KnownStack {
  readonly name: string;
  readonly current: boolean;
}

/** The stacks of the project in the CLI's backend, or why it does not say. */
async function stacksOf(file: string): Promise<readonly KnownStack[] | string> {
  try {
    const { stdout } = await execute(file, ["stack", "ls", "--json", "--non-interactive"], {
      cwd: projectDir,
      env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
      timeout: answerMilliseconds,
    });
    return (JSON.parse(stdout) as KnownStack[]).map(({ name, current }) => ({
      // With several organisations the list has names such as `organisation/project/dev`.
      name: name.split("/").at(-1) ?? name,
      current,
    }));
  } catch (error) {
    const { stderr = "", killed } = error as { stderr?: string; killed?: boolean };
    if (killed === true) return `no answer within ${answerMilliseconds / 1000} s`;
    // Its words, for a log-in to its own service, send people after a token that nobody needs here.
    if (stderr.includes("PULUMI_ACCESS_TOKEN must be set")) return "it is logged in to no backend";
    const [line = ""] = stderr.trim().split("\n", 1);
    return line === "" ? "it failed" : line.replace(/^error: /, "");
  }
}
