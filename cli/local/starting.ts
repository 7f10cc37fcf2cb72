/** How a service of the local target is found, started and waited for. */
import { setTimeout as sleep } from "node:timers/promises";

import { messageOf } from "../errors";
import { isRunning, stop } from "../ownProcesses";
import { isFree } from "../ports";
import { type Service, ServiceEnded } from "../process";
import { processTable } from "../processTable";
import type { Step } from "../progress";
import type { LocalService } from "./state";

const readySeconds = 120;
/** To start a service anew takes about as long. */
const reuseSeconds = 10;

/**
 * Whether a service of an earlier run is of the same making and answers. One that does not yet, because that run was
 * killed while it loaded, is waited for; one that hangs is not.
 */
export async function isRight<T extends LocalService>(
  found: T,
  made: string,
  answers: (service: T) => Promise<boolean>,
  step: Step,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = Date.now() + reuseSeconds * 1000;
  while (found.made === made && isRunning(found.identity) && Date.now() < deadline) {
    if (await answers(found).catch(() => false)) return true;
    signal.throwIfAborted();
    step.detail("runs, and does not answer yet");
    await sleep(100);
  }
  return false;
}

/**
 * Starts a service on its ports; once more, on others, if a program of somebody else has got one that was free when it
 * was chosen.
 *
 * @param choose chooses them; none of them is one that the user has asked for.
 */
export async function onFreePorts<P extends object, T>(
  choose: () => Promise<P>,
  start: (ports: P) => Promise<T>,
): Promise<T> {
  const ports = await choose();
  try {
    return await start(ports);
  } catch (error) {
    const free = await Promise.all((Object.values(ports) as number[]).map(isFree));
    // The other program may have gone again; the model server says that there was one.
    const taken = free.includes(false) || messageOf(error).includes("is not to be had");
    if (!(error instanceof ServiceEnded) || !taken) throw error;
    return start(await choose());
  }
}

/** Waits until a service answers: itself, and not another program that has got its port before it. */
export function ready(
  service: Service,
  port: number,
  answers: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const itself = async () => {
    if (!(await answers())) return false;
    if (processTable.listens(service.identity.pid, port)) return true;
    await stop(service.identity);
    return false;
  };
  return service.ready(itself, readySeconds, signal);
}
