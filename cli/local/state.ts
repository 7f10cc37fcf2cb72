import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";

import * as z from "zod";

import { protocols } from "../../config/servers";
import { homeDir } from "../paths";
import { type ProcessIdentity, identify, isOurs, isRunning, leftBehind, ownFolder } from "../ownProcesses";
import { processTable } from "../processTable";
import { writeWhole } from "../wholeFile";

// The file may be damaged, or of a version of this program that wrote it otherwise: it is read by these shapes.
const port = z.int().min(1).max(65_535);
export const identityShape = z.object({ pid: z.int().positive(), started: z.string() });
const serviceShape = z.object({ identity: identityShape, made: z.string(), log: z.string() });
const mlflowShape = serviceShape.extend({ port });
const frontendShape = serviceShape.extend({ port });
const portsShape = z.object({ rest: port, grpc: port, metrics: port });
const modelShape = serviceShape.extend({
  ...{ name: z.string(), version: z.string() },
  ...portsShape.shape,
  /** The server's own ports; the front listens on those above, and hands on to these. */
  behind: portsShape,
  // Services of a version of this program that knew the one protocol do not say which.
  protocol: z.enum(protocols).default("seldon"),
  /** What its score on test rows is called, and the score. */
  score: z.object({ name: z.string(), value: z.number() }).exactOptional(),
});
const stateShape = z.object({
  mlflow: mlflowShape.exactOptional(),
  front: serviceShape.exactOptional(),
  frontend: frontendShape.exactOptional(),
  models: z.record(z.string(), modelShape).exactOptional(),
});
const stateFileShape = z.object({ folder: z.string(), services: stateShape });

/** A service of the local target that was started, by this run of the program or an earlier one. */
export interface LocalService extends Readonly<z.infer<typeof serviceShape>> {
  /** What it was started from: code, packages, model, ports. A service made of other things is not reused. */
  readonly made: string;
}

/** The MLflow server. */
export type LocalMlflow = Readonly<z.infer<typeof mlflowShape>>;

/** The front end: the page on which people ask the models. */
export type LocalFrontend = Readonly<z.infer<typeof frontendShape>>;

/** Where a model is asked over REST and gRPC, and where its metrics are. */
export type ModelPorts = Readonly<z.infer<typeof portsShape>>;

/** The server of a model. */
export type LocalModel = Readonly<z.infer<typeof modelShape>>;

/** What runs of the local target, as its state file says. */
export type LocalState = Readonly<z.infer<typeof stateShape>>;

/** What the state file holds; `folder` is the one whose services these are. */
type StateFile = z.infer<typeof stateFileShape>;

/** Folder of the local target's data, logs and state. */
export function localDir(...parts: string[]): string {
  return path.join(homeDir(), "local", ...parts);
}

const stateFile = () => localDir("state.json");

/** Variable of a service: what the state file says of it, so that it can be found without the file. */
const serviceVariable = "MLPLATFORM_SERVICE";

/** A service as the state file has it, before it has a process. */
export type Unstarted =
  | { readonly mlflow: Omit<LocalMlflow, "identity"> }
  | { readonly front: Omit<LocalService, "identity"> }
  | { readonly frontend: Omit<LocalFrontend, "identity"> }
  | { readonly model: Omit<LocalModel, "identity"> };

/** The variable by which a service is found if the state file is lost. */
export function serviceMark(service: Unstarted): Record<string, string> {
  return { [serviceVariable]: encodeURIComponent(JSON.stringify(service)) };
}

/** The services that were started and not stopped; they may have ended by themselves. */
export function recordedState(): LocalState {
  if (!existsSync(localDir())) return {};
  try {
    const { folder, services } = stateFileShape.parse(JSON.parse(readFileSync(stateFile(), "utf8")));
    // A copy of the project's folder has a copy of the file, too.
    return folder === ownFolder() ? services : {};
  } catch {
    const found = foundState();
    writeState(found);
    return found;
  }
}

/** The services that run, by what they were started with: where the state file is damaged or gone. */
function foundState(): LocalState {
  const found = processTable.having(serviceVariable).flatMap(({ pid, group, value }) => {
    const identity = pid === group && isOurs(pid) ? identify(pid) : undefined;
    if (identity === undefined) return [];
    const service = JSON.parse(decodeURIComponent(value)) as Unstarted;
    if ("mlflow" in service) return { mlflow: { identity, ...service.mlflow } };
    if ("front" in service) return { front: { identity, ...service.front } };
    if ("frontend" in service) return { frontend: { identity, ...service.frontend } };
    return { models: { [service.model.name]: { identity, ...service.model } } };
  });
  // One of another shape is not used; what was started here and is no known service is stopped as left behind.
  const known = found.flatMap((one) => stateShape.safeParse(one).data ?? []);
  return known.reduce(together, {});
}

/** Two parts of what runs as one; of a service that is in both, the second counts. */
export function together(one: LocalState, other: LocalState): LocalState {
  const models = { ...one.models, ...other.models };
  return { ...one, ...other, ...(Object.keys(models).length === 0 ? {} : { models }) };
}

/** The services that run now; those in the state file that have ended are left out. */
export function readState(): LocalState {
  const { mlflow, front, frontend, models = {} } = recordedState();
  const running = Object.entries(models).filter(([, { identity }]) => isRunning(identity));
  return {
    ...(mlflow !== undefined && isRunning(mlflow.identity) ? { mlflow } : {}),
    ...(front !== undefined && isRunning(front.identity) ? { front } : {}),
    ...(frontend !== undefined && isRunning(frontend.identity) ? { frontend } : {}),
    ...(running.length === 0 ? {} : { models: Object.fromEntries(running) }),
  };
}

/** The server of a model of this name, if one runs; a model may be called `constructor`. */
export function runningModel(name: string): LocalModel | undefined {
  const { models = {} } = readState();
  return Object.hasOwn(models, name) ? models[name] : undefined;
}

/** What a killed command has left behind: all that was started here and is no service that the state tells of. */
export function leftovers(): ProcessIdentity[] {
  return leftBehind(servicesOf(readState()).map(([, { identity }]) => identity));
}

/** The services of a state, by name: `mlflow`, `front`, `frontend`, and those of models. */
export function servicesOf({ mlflow, front, frontend, models = {} }: LocalState): [string, LocalService][] {
  return [
    ...(mlflow === undefined ? [] : [["mlflow", mlflow] as [string, LocalService]]),
    ...(front === undefined ? [] : [["front", front] as [string, LocalService]]),
    ...(frontend === undefined ? [] : [["frontend", frontend] as [string, LocalService]]),
    ...Object.entries(models),
  ];
}

/** Records what runs, so that a later command finds it even if this one is killed. */
export function writeState(state: LocalState): void {
  const file: StateFile = { folder: ownFolder(), services: state };
  writeWhole(stateFile(), JSON.stringify(file, undefined, 2));
}
