/** The local target: the platform as processes of this machine. */
import { rmSync } from "node:fs";

import { UserError, messageOf } from "../errors";
import { servingEnvironment, trainingEnvironment } from "../lockFiles";
import type { MlflowClient, ModelVersion } from "../mlflow";
import { plainFile } from "../plainFile";
import type { Progress } from "../progress";
import { type Environment, Environments } from "../python";
import type { Answer, Rows } from "../protocols/answer";
import { computeAnswers, leaveAnswers } from "./answers";
import { isUrl } from "./fingerprint";
import { chosenModels } from "./models";
import { localClient } from "./modelServer";
import { tellService } from "./moving/service";
import { localRegistry } from "./moving/scene";
import type { Ports } from "./portChoice";
import { type Servable, environmentOf, exampleIn, findRegistered, registeredModel } from "./registered";
import { type Score, scoreOf } from "./score";
import { LocalServices } from "./services";
import type { LocalModel } from "./state";
import { trainIfChanged } from "./training";
import { fetchChampion, fetchVersion } from "./versionFiles";

/** What the user may choose for the local target. */
export interface LocalOptions {
  /** The models, with commas between them, or `all`. @default those that say so of themselves */
  readonly models?: string | undefined;
  /** Models of the registry that may run code when they are loaded, with commas between them. @default none */
  readonly allowCode?: string | undefined;
  /** Models of the registry whose answers nobody compares, with commas between them. @default none */
  readonly parityOff?: string | undefined;
  /** Training data of the one model: a path, `https://…` or `s3://…`. @default the sample of the project */
  readonly data?: string | undefined;
  /** Whether MLflow keeps a copy of the data, by which a run can be repeated when they are gone. @default true */
  readonly dataCopy?: boolean | undefined;
  /** Python interpreter to make environments with. @default the first that fits */
  readonly python?: string | undefined;
  /** Whether there is the page on which people ask the models. @default true */
  readonly frontend?: boolean | undefined;
  readonly ports: Ports;
}

/** The local target, in service. */
export interface LocalUp {
  readonly mlflowUrl: string;
  /** The page on which people ask the models; undefined if it was not wanted. */
  readonly frontendUrl?: string | undefined;
  readonly models: readonly LocalModelUp[];
  /** Stops what this call has started; what ran before it goes on. */
  readonly stopStarted: () => Promise<void>;
}

/** A model, in service. */
export interface LocalModelUp {
  readonly model: LocalModel;
  readonly version: ModelVersion;
  readonly isChampion: boolean;
  /** Score of the version on its test rows, and what it is called; undefined if its run does not say. */
  readonly score?: Score | undefined;
  /** What it was asked, and has answered: the example of its manifest or its files; undefined if there is none. */
  readonly asked?: { readonly rows: Rows; readonly answer: Answer };
}

/**
 * Brings the platform up as processes of this machine: environments, MLflow, training, model server, prediction.
 *
 * What is there and unchanged is used as it is; what does not depend on each other goes on side by side.
 *
 * @throws UserError a step failed. The services that this call has started are stopped, those of before go on.
 */
export async function bringUp(
  options: LocalOptions,
  progress: Progress,
  outer: AbortSignal,
): Promise<LocalUp> {
  const { trained, registered } = chosenModels(options.models);
  refuseForSeveral(trained.length, registered.length, options);
  const data = { data: dataAddress(options.data), keepData: options.dataCopy !== false };
  const controller = new AbortController();
  const signal = AbortSignal.any([outer, controller.signal]);
  const services = new LocalServices(options.ports, signal);
  await services.checkPorts();

  const environments = new Environments(signal, options.python);
  const made = new Map<string, Promise<Environment>>();
  const environment = (name: string) => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const making = progress.step(`Python environment ${name}`, (step) => environments.ensure(name, step));
    made.set(name, making);
    return making;
  };

  const mlflow = environment("tracking").then((python) =>
    progress.step("MLflow server", (step) => services.mlflow(python, step)),
  );
  const frontend =
    options.frontend === false
      ? Promise.resolve(undefined)
      : environment("frontend").then((python) =>
          progress.step("front end", (step) => services.frontend(python, step)),
        );
  const steps: Promise<unknown>[] = [mlflow, frontend];
  const serve = (
    manifest: Servable,
    python: Environment,
    version: ModelVersion,
    files: string,
    uncompared = false,
  ) =>
    progress.step(`model server ${manifest.name}`, async (step) => {
      try {
        const score = await scoreOf(await mlflow, manifest, version);
        const toServe = { manifest, environment: python, version, files, score, uncompared };
        return await services.models.serve(toServe, step);
      } catch (error) {
        // The files may be at fault: the next run fetches them again.
        rmSync(files, { recursive: true, force: true });
        throw error;
      }
    });
  const tell = (client: MlflowClient, version: ModelVersion) =>
    tellService(localRegistry(client), version).catch((error: unknown) => {
      progress.warn(`the registry could not be told what serves: ${messageOf(error)}`);
    });
  const upTrained = trained.map((manifest) => {
    const { name } = manifest;
    const serving = environment(servingEnvironment(manifest));
    const trained = Promise.all([environment(trainingEnvironment(manifest)), mlflow]).then(
      ([python, client]) =>
        progress.step(`training ${name}`, (step) =>
          trainIfChanged(manifest, python, client, data, step, signal),
        ),
    );
    const fetched = Promise.all([mlflow, trained]).then(([client]) =>
      progress.step(`model files ${name}`, (step) => fetchChampion(name, client, step)),
    );
    const served = Promise.all([serving, fetched]).then(([python, { version, files }]) =>
      serve(manifest, python, version, files),
    );
    steps.push(trained, fetched, served);
    return Promise.all([mlflow, fetched, served]).then(
      async ([client, { version }, model]): Promise<LocalModelUp> => {
        const rows = { ndarray: [manifest.example] };
        const answer = await localClient(model).ask(rows);
        await tell(client, version);
        const { score } = model;
        return { model, version, isChampion: true, score, asked: { rows, answer } };
      },
    );
  });
  const allowed = namesIn(options.allowCode);
  const incomparable = namesIn(options.parityOff);
  const upRegistered = registered.map(async (name): Promise<LocalModelUp> => {
    const client = await mlflow;
    const found = await progress.step(`registered model ${name}`, async (step) => {
      const one = await findRegistered(client, name, allowed);
      const { version } = one.version;
      step.detail(
        `version ${version}, ${one.isChampion ? "its champion" : "the newest: it has no champion"}`,
      );
      return one;
    });
    const { version, isChampion } = found;
    const [python, files] = await Promise.all([
      progress.step(`Python environment of ${name}`, (step) => environmentOf(found, environments, step)),
      progress.step(`model files ${name}`, (step) => fetchVersion(version, client, step)),
    ]);
    const uncompared = incomparable.includes(name);
    await progress.step(`expected answers of ${name}`, (step) =>
      uncompared
        ? leaveAnswers(step)
        : computeAnswers({ version, environment: python, files }, `--parity-off ${name}`, step, signal),
    );
    const model = await serve(registeredModel(name), python, version, files, uncompared);
    const rows = exampleIn(files);
    const asked = rows && { rows, answer: await localClient(model).ask(rows) };
    await tell(client, version);
    return { model, version, isChampion, ...(asked && { asked }) };
  });
  const up = [...upTrained, ...upRegistered];

  // The first failure ends the others, and is the one that is told.
  steps.push(...made.values(), ...up);
  const failed = (error: unknown) => {
    controller.abort(error);
  };
  for (const step of steps) step.catch(failed);
  try {
    const client = await mlflow;
    const stopStarted = () => services.stopStarted();
    const models = await Promise.all(up);
    return { mlflowUrl: client.url, frontendUrl: await frontend, models, stopStarted };
  } catch (error) {
    await Promise.allSettled(steps);
    await services.stopStarted();
    throw signal.aborted ? signal.reason : error;
  }
}

/** Names with commas between them. */
function namesIn(given = ""): string[] {
  return given.split(",").map((name) => name.trim());
}

/** Data and ports are one model's, and data one's that is trained here. @throws UserError others are asked for. */
function refuseForSeveral(trained: number, registered: number, { data, ports }: LocalOptions): void {
  const models = trained + registered;
  if (data !== undefined && registered > 0)
    throw new UserError(
      "--data is for a training, and models of the registry were trained elsewhere: leave it out.",
    );
  const given = [
    ...(data === undefined ? [] : ["--data"]),
    ...(["rest", "grpc", "metrics"] as const).flatMap((port) =>
      ports[port] === undefined ? [] : [`--${port}-port`],
    ),
  ];
  if (models < 2 || given.length === 0) return;
  throw new UserError(
    `${given.join(", ")} ${given.length === 1 ? "is" : "are"} for one model, and --models names ${models}: ` +
      "bring that one up by itself first.",
  );
}

/** The address as training takes it. @throws UserError it is a path to what is no file. */
function dataAddress(data: string | undefined): string | undefined {
  return data === undefined || isUrl(data) ? data : plainFile("--data", data);
}
