/** Has the front of the local target lead to the servers that are in service. */
import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { UserError } from "../../errors";
import { isRunning, signalOwn, stop } from "../../ownProcesses";
import { projectDir } from "../../paths";
import { localHost } from "../../ports";
import { type Command, Service } from "../../process";
import { surroundings } from "../../surroundings";
import { type LocalModel, type LocalService, localDir, readState, serviceMark, writeState } from "../state";
import { listModels } from "../listed";
import { type Routes, type Taken, readTaken, takenFile, writeWanted } from "./routes";

const readySeconds = 20;
/** A front that runs does what it is told at once, or hangs. */
const patienceMilliseconds = 5_000;
const folder = () => localDir("front");
const program = path.join(__dirname, "main.ts");

/** Ports that people were to use, and that another program has. */
export class PortsTaken extends UserError {
  override readonly name = "PortsTaken";

  readonly ports: readonly number[];

  constructor(refused: Taken["refused"]) {
    const told = Object.entries(refused).map(([port, reason]) => `port ${port} on ${localHost}: ${reason}`);
    super(`${told.join("; ")}. Choose others, or leave the options out: free ones are then taken.`);
    this.ports = Object.keys(refused).map(Number);
  }
}

/**
 * Has the front lead to all model servers of the state, and to nothing else, and the front end's page list them. It is
 * started if it does not run, and stopped where it has nothing to lead to.
 *
 * @throws PortsTaken another program listens where people were to ask a model.
 * @throws UserError the front cannot be started.
 */
export async function lead(signal: AbortSignal): Promise<void> {
  const { front, models = {} } = readState();
  listModels(Object.values(models));
  const wanted = routesTo(Object.values(models));
  const made = createHash("sha256").update(readFileSync(program)).digest("hex").slice(0, 16);
  const runs = front?.made === made && isRunning(front.identity);
  if (Object.keys(wanted).length === 0) {
    if (front !== undefined) await stop(front.identity);
    writeState(readState());
    return;
  }
  writeWanted(folder(), wanted);
  const taken =
    (runs ? await tell(front, wanted, signal) : undefined) ?? (await begin(front, made, wanted, signal));
  if (Object.keys(taken.refused).length > 0) throw new PortsTaken(taken.refused);
}

/** Has a front that runs look at what it is to do; undefined if it hangs. */
async function tell(front: LocalService, wanted: Routes, signal: AbortSignal): Promise<Taken | undefined> {
  signalOwn(front.identity, "SIGHUP");
  const deadline = Date.now() + patienceMilliseconds;
  for (;;) {
    const taken = whatIsDone(wanted);
    if (taken !== undefined || Date.now() > deadline) return taken;
    await sleep(20, undefined, { signal });
  }
}

/** Starts a front, in the place of one that hangs or is of another making. */
async function begin(
  front: LocalService | undefined,
  made: string,
  wanted: Routes,
  signal: AbortSignal,
): Promise<Taken> {
  if (front !== undefined) await stop(front.identity);
  const service = await start(made);
  await service.ready(() => Promise.resolve(whatIsDone(wanted) !== undefined), readySeconds, signal);
  return whatIsDone(wanted) ?? { routes: {}, refused: {} };
}

/** What the front does, if that is what it was told. */
function whatIsDone(wanted: Routes): Taken | undefined {
  const taken = readTaken(folder());
  const text = (routes: Routes) => JSON.stringify(Object.entries(routes).sort());
  return taken !== undefined && text(taken.routes) === text(wanted) ? taken : undefined;
}

function routesTo(models: readonly LocalModel[]): Routes {
  const pairs = models.flatMap(({ behind, ...model }) =>
    (["rest", "grpc", "metrics"] as const).map((port) => [model[port], behind[port]] as const),
  );
  return Object.fromEntries(pairs);
}

async function start(made: string): Promise<Service> {
  // What one of before has said holds no more.
  rmSync(takenFile(folder()), { force: true });
  const front: Omit<LocalService, "identity"> = { made, log: localDir("logs", "front.log") };
  const command: Command = {
    name: "front of the local target",
    file: process.execPath,
    args: ["--require", path.join(projectDir, "load.cjs"), program, folder()],
    env: { ...surroundings(), ...serviceMark({ front }) },
    log: front.log,
  };
  const service = await Service.start(command);
  writeState({ ...readState(), front: { identity: service.identity, ...front } });
  return service;
}
