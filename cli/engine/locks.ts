/** The locks of Pulumi's engine, which it makes and reads itself: who holds one is known by what it has written there. */
import { execFileSync } from "node:child_process";
import { readdirSync, rmSync, statSync } from "node:fs";
import { hostname } from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import type { Stack } from "@pulumi/pulumi/automation";

import { readText } from "../../config/readText";
import { UserError } from "../errors";
import { orphans, stop } from "../ownProcesses";
import type { Step } from "../progress";

/** Where locks are looked for, and how patiently. */
export interface LockSettings {
  /** The backend's address. Only a `file://` one is looked into; others keep their locks by themselves. */
  readonly backendUrl: string;
  readonly project: string;
  /**
   * For how many seconds a living holder is waited for, such as the engine of a command that was killed, which
   * finishes what it has begun.
   *
   * @default 0
   */
  readonly patience?: number;
}

/** Another run is at work on the stack. */
export class StackBusy extends UserError {
  override readonly name = "StackBusy";
}

/** A lock as the engine writes it. */
interface Lock {
  readonly pid: number;
  readonly username: string;
  readonly hostname: string;
  readonly timestamp: string;
}

/**
 * Removes the locks of a stack whose holders have ended, and ends the providers that killed engines have left.
 *
 * @returns whether there were any.
 * @throws StackBusy a holder is alive, or on another machine, where nobody can tell from here.
 */
export async function settleLock(stack: Stack, settings: LockSettings, step: Step): Promise<boolean> {
  const deadline = Date.now() + (settings.patience ?? 0) * 1000;
  let held = locksOf(stack.name, settings);
  const alive = () => held.filter((lock) => !hasEnded(lock));
  while (alive().length > 0 && Date.now() < deadline) {
    step.detail("waiting for the engine of an earlier run to end");
    await sleep(100);
    held = locksOf(stack.name, settings);
  }
  const [holder] = alive();
  if (holder !== undefined) {
    const where = holder.hostname === hostname() ? "" : ` on ${holder.hostname}`;
    throw new StackBusy(
      `another run is changing stack ${stack.name}: process ${holder.pid}${where}, started by ${holder.username} at ` +
        `${holder.timestamp}. Wait until it has ended, or stop it, and run the same command again.` +
        (where === "" ? "" : ` If it has ended there: pulumi cancel --stack ${stack.name}`),
    );
  }
  await Promise.all(orphans().map(stop));
  if (held.length === 0) return false;
  step.detail("removing the lock of a run that was cut off");
  removeEmptyAttributes(stack.name, settings);
  await stack.cancel();
  return true;
}

/**
 * Beside each file of a backend that is a folder lies one with its attributes. An engine that was killed while it wrote
 * that leaves it empty, and the next one takes the whole state for broken ("failed to load checkpoint: EOF"); without
 * the attributes it does well.
 */
function removeEmptyAttributes(stack: string, { backendUrl, project }: LockSettings): void {
  const folder = folderOf(backendUrl);
  if (folder === undefined) return;
  for (const name of [`${stack}.json.attrs`, `${stack}.json.bak.attrs`]) {
    const file = path.join(folder, "stacks", project, name);
    if (statSync(file, { throwIfNoEntry: false })?.size === 0) rmSync(file);
  }
}

/** Where a backend that is a folder keeps its files; undefined for any other. */
export function folderOf(backendUrl: string): string | undefined {
  if (!backendUrl.startsWith("file://")) return undefined;
  const root = fileURLToPath(backendUrl.replace(/^file:\/\/~/, `file://${process.env["HOME"] ?? ""}`));
  return path.join(root, ".pulumi");
}

/** The locks of a stack in a backend that is a folder. */
export function locksOf(stack: string, { backendUrl, project }: LockSettings): Lock[] {
  const root = folderOf(backendUrl);
  if (root === undefined) return [];
  const folder = path.join(root, "locks", "organization", project, stack);
  try {
    // Beside each lock lies a file with its attributes, which is none.
    const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
    return names.map((name) => {
      const text = readText(path.join(folder, name));
      // An engine that was killed while it wrote leaves an empty one.
      return text.trim() === "" ? unreadable : (JSON.parse(text) as Lock);
    });
  } catch {
    return [];
  }
}

const unreadable: Lock = { pid: 0, username: "", hostname: hostname(), timestamp: "" };

/** Whether a lock's holder has ended, as far as it can be told from this machine. */
export function hasEnded({ pid, hostname: host }: Lock): boolean {
  if (host !== hostname()) return false;
  if (pid === 0) return true;
  try {
    const state = execFileSync("ps", ["-o", "stat=,comm=", "-p", String(pid)], { encoding: "utf8" });
    // The number may belong to another program by now; and one that has ended may still be listed as a zombie.
    return !state.includes("pulumi") || state.startsWith("Z");
  } catch {
    return true;
  }
}
