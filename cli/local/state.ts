import { existsSync } from "node:fs";
import * as path from "node:path";

import * as z from "zod";

import { readText } from "../../config/readText";
import { protocols } from "../../config/servers";
import { homeDir } from "../paths";
import { type ProcessIdentity, identify, isOurs, isRunning, leftBehind, ownFolder } from "../ownProcesses";
import { processTable } from "../processTable";
import { writeWhole } from "../wholeFile";
import { readTaken } from "./front/routes";

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
  /** Whether nobody compares its answers with those of its own libraries: the user takes it as it is. */
  uncompared: z.boolean().exactOptional(),
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

/**
 * The services that were started and not stopped; they may have ended by themselves. The state file is believed where
 * nothing that runs says otherwise: it may be damaged, of another folder, older than what runs, or changed by hand.
 */
export function recordedState(): LocalState {
  if (!existsSync(localDir())) return {};
  const found = foundServices();
  const written = writtenState();
  if (written !== undefined) return settled(written, found);
  const rebuilt = found.reduce(together, {});
  writeState(rebuilt);
  return rebuilt;
}

/** What the state file says; undefined if it is damaged or gone, or that of a folder of which this one is a copy. */
export function writtenState(): LocalState | undefined {
  try {
    const { folder, services } = stateFileShape.parse(JSON.parse(readText(stateFile())));
    return folder === ownFolder() ? services : undefined;
  } catch {
    return undefined;
  }
}

/** The services that run, each as a state of its own, by what they were started with. */
function foundServices(): LocalState[] {
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
  return found.flatMap((one) => stateShape.safeParse(one).data ?? []);
}

/** What was written of services, put right by those that were found. */
function settled(written: LocalState, found: readonly LocalState[]): LocalState {
  const processOf = (one: LocalState) => servicesOf(one)[0]?.[1].identity.pid;
  const right = those(written, (service) => {
    const itself = found.find((one) => processOf(one) === service.identity.pid);
    return itself === undefined || namesake(itself, written) === service;
  });
  return found.reduce((state, one) => {
    const before = namesake(one, state);
    if (before?.identity.pid === processOf(one)) return together(state, withGiven(one, state));
    // Of two servers of a model one is about to come into service, or to leave it.
    const replaces = before === undefined || !isRunning(before.identity);
    return replaces && isInService(one, found) ? together(state, one) : state;
  }, right);
}

/** What a state has of the service that another one consists of. */
function namesake(
  one: LocalState,
  { mlflow, front, frontend, models = {} }: LocalState,
): LocalService | undefined {
  if (one.mlflow !== undefined) return mlflow;
  if (one.front !== undefined) return front;
  if (one.frontend !== undefined) return frontend;
  const [name = ""] = Object.keys(one.models ?? {});
  return Object.hasOwn(models, name) ? models[name] : undefined;
}

/** A model's server with what it was given after its start: its score, whether it is compared, the ports on which people ask it. */
function withGiven(one: LocalState, { models: before = {} }: LocalState): LocalState {
  if (one.models === undefined) return one;
  const models = Object.entries(one.models).map(([name, server]) => {
    const { rest, grpc, metrics, score, uncompared } = before[name] ?? server;
    const given = { ...(score && { score }), ...(uncompared !== undefined && { uncompared }) };
    return [name, { ...server, rest, grpc, metrics, ...given }];
  });
  return { models: Object.fromEntries(models) as NonNullable<LocalState["models"]> };
}

/** Whether a service that runs is in service: of the servers of models the front says so, by leading to them. */
function isInService({ models = {} }: LocalState, found: readonly LocalState[]): boolean {
  const servers = Object.values(models);
  if (servers.length === 0) return true;
  const taken = found.some(({ front }) => front !== undefined) ? readTaken(localDir("front")) : undefined;
  return servers.every(({ rest, behind }) => taken?.routes[rest] === behind.rest);
}

/** Two parts of what runs as one; of a service that is in both, the second counts. */
export function together(one: LocalState, other: LocalState): LocalState {
  const models = { ...one.models, ...other.models };
  return { ...one, ...other, ...(Object.keys(models).length === 0 ? {} : { models }) };
}

/** The services that run now; those that have ended are left out. */
export function readState(): LocalState {
  return those(recordedState(), ({ identity }) => isRunning(identity));
}

/** The services of a state that are to be kept. */
function those(
  { mlflow, front, frontend, models = {} }: LocalState,
  keep: (service: LocalService) => boolean,
): LocalState {
  const kept = Object.entries(models).filter(([, model]) => keep(model));
  return {
    ...(mlflow !== undefined && keep(mlflow) ? { mlflow } : {}),
    ...(front !== undefined && keep(front) ? { front } : {}),
    ...(frontend !== undefined && keep(frontend) ? { frontend } : {}),
    ...(kept.length === 0 ? {} : { models: Object.fromEntries(kept) }),
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
