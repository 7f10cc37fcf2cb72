/** Models that others have logged and registered, in the MLflow of this machine: found, looked at, given packages. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import * as path from "node:path";

import { readText } from "../../config/readText";
import { type Manifest, manifests } from "../../config/manifests";
import { champion } from "../../config/registryNames";
import { listed, nearest } from "../../config/words";
import { exampleRows } from "../deploy/question";
import { UserError } from "../errors";
import { type Interpreter, supportedVersions } from "../interpreter";
import type { MlflowClient, ModelVersion } from "../mlflow";
import { resolve, resolveScoring } from "../modelEnvironment";
import { type ModelFile, codeIn, readModelFile } from "../modelFiles";
import { homeDir, mlAppDir } from "../paths";
import type { Step } from "../progress";
import type { Rows } from "../protocols/answer";
import type { Environment, Environments } from "../python";
import { writeWhole } from "../wholeFile";
import { localDir } from "./state";

/** A model that is in the registry and nowhere in the project. */
export interface RegisteredModel {
  readonly name: string;
  readonly serving: { readonly server: "MLFLOW_SERVER"; readonly protocol: "v2" };
}

/** What the local target serves. */
export type Servable = Manifest | RegisteredModel;

/** A version of one, that can be served. */
export interface RegisteredVersion {
  readonly version: ModelVersion;
  readonly file: ModelFile;
  /** What runs code when it is loaded. */
  readonly code: readonly string[];
  readonly requirements: string;
}

/** The version of one that is chosen where none is named. */
export interface ChosenVersion extends RegisteredVersion {
  /** Whether it is the champion; else it is the newest one. */
  readonly isChampion: boolean;
}

/** The Python versions on which MLServer and what stands beside it run. */
const servingVersions = ["3.12", "3.11", "3.10"];
/** Names of services of this machine, whose logs have them. */
const ownNames = ["mlflow", "front", "frontend"];

/** A model of the registry, by its name. */
export function registeredModel(name: string): RegisteredModel {
  return { name, serving: { server: "MLFLOW_SERVER", protocol: "v2" } };
}

/** Whether a model is one of the project, which trains it. */
export function isTrainedHere(model: Servable): model is Manifest {
  return "training" in model;
}

/**
 * The version of a registered model that is served: the champion, else the newest one.
 *
 * @param allowed models that may run code when they are loaded.
 * @throws UserError there is no such model, or it cannot or may not be served; with the way out.
 */
export async function findRegistered(
  mlflow: MlflowClient,
  name: string,
  allowed: readonly string[],
): Promise<ChosenVersion> {
  const champions = await mlflow.versionByAlias(name, champion);
  const version = champions ?? (await mlflow.versionsOf(name))[0];
  if (version === undefined) throw await unknown(mlflow, name);
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name) || ownNames.includes(name))
    throw new UserError(
      `model ${JSON.stringify(name)} cannot be served under this name: it is part of addresses and of files' names. ` +
        "Register it under another one, of letters, digits, dots, dashes and underscores.",
    );
  return { ...(await lookAt(mlflow, version, allowed)), isChampion: champions !== undefined };
}

/**
 * Looks at a version of a registered model.
 *
 * @param allowed models that may run code when they are loaded.
 * @throws UserError it cannot or may not be served; with the way out.
 */
export async function lookAt(
  mlflow: MlflowClient,
  version: ModelVersion,
  allowed: readonly string[],
): Promise<RegisteredVersion> {
  const { name } = version;
  const what = `${name} version ${version.version}`;
  const place = await mlflow.placeOf(version);
  const files = await mlflow.artifacts(place);
  if (!files.includes("MLmodel"))
    throw new UserError(`${what}: its files are gone, there is no MLmodel at ${place}. Register it again.`);
  const file = readModelFile(await mlflow.artifact(`${place}/MLmodel`), what);
  if (file.inputs === undefined)
    throw new UserError(
      `${what} has no signature, so that nobody knows what it takes. Log it again with input_example=X.head(), ` +
        "from which MLflow makes one.",
    );
  if (!files.includes("requirements.txt"))
    throw new UserError(
      `${what} has no requirements.txt, so that nobody knows what loads it. Log it again with pip_requirements=[…].`,
    );
  const code = codeIn(file);
  if (code.length > 0 && !allowed.includes(name))
    throw new UserError(
      `${what} holds ${listed(code)}: whoever loads it runs the code of whoever has logged it. If only those whom you ` +
        `trust may write to this registry: --allow-code ${name}`,
    );
  const requirements = await mlflow.artifact(`${place}/requirements.txt`);
  return { version, file, code, requirements };
}

async function unknown(mlflow: MlflowClient, name: string): Promise<UserError> {
  const registered = await mlflow.registeredNames();
  if (registered.includes(name))
    return new UserError(
      `--models: model ${name} has no version: it was registered, and nothing logged as it.`,
    );
  return noSuchModel([name], registered, ` at ${mlflow.url}`);
}

/** The error where neither the project nor the registry has a model of these names. */
export function noSuchModel(names: readonly string[], registered: readonly string[], where = ""): UserError {
  const ours = manifests.map(({ name }) => name);
  const told = names.map((name) => {
    const meant = nearest(name, [...ours, ...registered]);
    return `${JSON.stringify(name)}${meant === undefined ? "" : ` (did you mean ${meant}?)`}`;
  });
  const others = registered.filter((name) => !ours.includes(name));
  const registry =
    others.length === 0 ? "" : `, and in the registry${where} ${others.slice(0, 20).join(", ")}`;
  return new UserError(
    `--models: there is no model ${told.join(", ")}. There are ${ours.join(", ")}${registry}; or say all.`,
  );
}

/**
 * The environment that serves a version: made of what it requires and of the model server.
 *
 * @throws UserError there is no Python that it can be loaded with, or packages cannot be had.
 */
export function environmentOf(
  version: RegisteredVersion,
  environments: Environments,
  step: Step,
): Promise<Environment> {
  return environmentWith(version, environments, step, pinsOf);
}

/**
 * The environment that scores tables by a version: of what serves it, and what reads and writes tables.
 *
 * @throws UserError as {@link environmentOf}.
 */
export function scoringEnvironmentOf(
  version: RegisteredVersion,
  environments: Environments,
  step: Step,
): Promise<Environment> {
  return environmentWith(version, environments, step, scoringPinsOf);
}

async function environmentWith(
  { version, file, code, requirements }: RegisteredVersion,
  environments: Environments,
  step: Step,
  packages: (...how: Parameters<typeof pinsOf>) => Promise<readonly string[]>,
): Promise<Environment> {
  const what = `${version.name} version ${version.version}`;
  try {
    const interpreter = await interpreterFor(file, code, environments, step);
    const pins = await packages(requirements, interpreter, environments, step);
    return await environments.ensurePinned(pins, interpreter, step);
  } catch (error) {
    environments.signal.throwIfAborted();
    throw error instanceof UserError ? new UserError(`${what}: ${error.message}`, error.exitCode) : error;
  }
}

/** Pickled code is loaded by the Python that wrote it; what is data, by any. */
async function interpreterFor(
  { python }: ModelFile,
  code: readonly string[],
  environments: Environments,
  step: Step,
): Promise<Interpreter> {
  if (python === undefined || code.length === 0) {
    const same = servingVersions.filter((version) => version === python);
    return environments.interpreter(step, [...new Set([...same, ...supportedVersions])]);
  }
  const holds = `it was logged with Python ${python}, and holds code that no other version may load`;
  if (!servingVersions.includes(python))
    throw new UserError(
      `${holds}; the model server runs on ${listed(servingVersions)}. Log it again with one of these.`,
    );
  try {
    return await environments.interpreter(step, [python]);
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${holds}; ${error.message}`) : error;
  }
}

/** What is resolved together with what a model requires. */
const serverInputs = ["mlserver-image.in", "model-server.in", "model-server-overrides.txt"];

/** The packages that serve a model. */
function pinsOf(
  requirements: string,
  { version }: Interpreter,
  environments: Environments,
  step: Step,
): Promise<readonly string[]> {
  return kept([version, requirements, inputsOf(serverInputs)], async () => {
    const uv = await environments.packageInstaller(step);
    step.detail("looking for the packages that it requires");
    return resolve(requirements, { python: version }, uv, environments.signal);
  });
}

/** The packages that score tables by it. */
async function scoringPinsOf(...how: Parameters<typeof pinsOf>): Promise<readonly string[]> {
  const [requirements, { version }, environments, step] = how;
  const serving = await pinsOf(...how);
  return kept([version, requirements, serving, inputsOf(["scoring.in", ...serverInputs])], async () => {
    const uv = await environments.packageInstaller(step);
    step.detail("looking for what reads tables");
    return resolveScoring(requirements, serving, { python: version }, uv, environments.signal);
  });
}

function inputsOf(files: readonly string[]): string[] {
  return files.map((file) => readText(path.join(mlAppDir, "environments", file)));
}

/** Packages, as they were found when they were looked for here for the first time. */
async function kept(of: unknown, find: () => Promise<readonly string[]>): Promise<readonly string[]> {
  const id = createHash("sha256").update(JSON.stringify(of)).digest("hex");
  const file = path.join(homeDir(), "pins", `${id.slice(0, 16)}.txt`);
  if (existsSync(file))
    return readText(file)
      .split("\n")
      .filter((line) => line !== "");
  const pins = await find();
  writeWhole(file, pins.map((pin) => `${pin}\n`).join(""));
  return pins;
}

/** Where the files of a version are kept: a model that was deleted and registered again has the same numbers. */
export function filesOf({ name, version, runId, source }: ModelVersion): string {
  const origin = createHash("sha256").update(JSON.stringify([runId, source]));
  return localDir("models", name, `${version}-${origin.digest("hex").slice(0, 16)}`);
}

/** The first row of the input example among a model's files; undefined if there is none, or it is no table. */
export function exampleIn(folder: string): Rows | undefined {
  const { example } = readModelFile(readText(path.join(folder, "MLmodel")), folder);
  const file = example === undefined ? undefined : path.join(folder, path.basename(example));
  return file === undefined || !existsSync(file) ? undefined : exampleRows(readText(file));
}

/** The first row of the input example of a version that is served here. */
export function exampleServed(name: string, version: string): Rows | undefined {
  const folder = localDir("models", name);
  const files = existsSync(folder) ? readdirSync(folder) : [];
  const found = files.find((file) => file.startsWith(`${version}-`) && !file.endsWith(".partial"));
  return found === undefined ? undefined : exampleIn(path.join(folder, found));
}
