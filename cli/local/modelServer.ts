/** How a model is served on this machine, by a server of its own or by a standard one, and how it is asked. */
import { mkdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { standardSettings } from "../../components/serving/standardServer";
import { type StandardServed, hasOwnServer } from "../../config/manifests";
import type { PrepackagedServer } from "../../config/servers";
import { exchangeWith } from "../exchange";
import type { ModelClient } from "../protocols/answer";
import { protocolClients } from "../protocols/protocols";
import { isRunning, stop } from "../ownProcesses";
import { localHost } from "../ports";
import type { Command } from "../process";
import { processTable } from "../processTable";
import type { Environment } from "../python";
import type { RegisteredModel, Servable } from "./registered";
import { type LocalModel, localDir } from "./state";

/** MLServer's class behind each standard server, as its settings name it. */
const runtimes: Readonly<Record<PrepackagedServer, string>> = {
  MLFLOW_SERVER: "mlserver_mlflow.MLflowRuntime",
  SKLEARN_SERVER: "mlserver_sklearn.SKLearnModel",
  XGBOOST_SERVER: "mlserver_xgboost.XGBoostModel",
};

/** Of a server that sends its clients away at SIGUSR1, and ends at SIGTERM: `ml-app/standardserver/farewell.py`. */
const farewellVariable = "MLPLATFORM_PID_FILE";
/** How long it then asks clients with open connections to close them. */
const lingerMilliseconds = 3_000;

/** What a server is told of the service that it will be. */
export type Told = Pick<LocalModel, "name" | "version" | "log" | "behind">;

/** What leads to a model's server. */
type Addressed = Pick<LocalModel, "name" | "protocol" | "rest">;

/**
 * The command that serves a model.
 *
 * @param files folder of the model's files.
 */
export function serverCommand(
  manifest: Servable,
  environment: Environment,
  model: Told,
  files: string,
): Command {
  if (!hasOwnServer(manifest)) return mlserverCommand(manifest, environment, model, files, standardSettings);
  const { name, version, log } = model;
  const parameters = { model_dir: files, model_name: name, model_version: version };
  return environment.module(
    titleOf(model),
    log,
    ["modelserver", manifest.serving.class, "--host", localHost],
    {
      PREDICTIVE_UNIT_HTTP_SERVICE_PORT: String(model.behind.rest),
      PREDICTIVE_UNIT_GRPC_SERVICE_PORT: String(model.behind.grpc),
      PREDICTIVE_UNIT_METRICS_SERVICE_PORT: String(model.behind.metrics),
      // By these the metrics name the model, as in a cluster.
      PREDICTIVE_UNIT_ID: manifest.name,
      PREDICTOR_LABELS: JSON.stringify({ version: model.version }),
      PREDICTIVE_UNIT_PARAMETERS: JSON.stringify(
        Object.entries(parameters).map(([key, value]) => ({ name: key, value, type: "STRING" })),
      ),
    },
  );
}

/**
 * The command that serves a model by MLServer.
 *
 * @param files folder of the model's files.
 * @param settings variables beyond those that name the model and its ports. @default none: MLServer as it comes
 */
export function mlserverCommand(
  { serving }: StandardServed | RegisteredModel,
  environment: Environment,
  model: Told,
  files: string,
  settings: Readonly<Record<string, string>> = {},
): Command {
  const variables = {
    MLSERVER_HOST: localHost,
    MLSERVER_HTTP_PORT: String(model.behind.rest),
    MLSERVER_GRPC_PORT: String(model.behind.grpc),
    MLSERVER_METRICS_PORT: String(model.behind.metrics),
    MLSERVER_MODEL_NAME: model.name,
    MLSERVER_MODEL_URI: files,
    MLSERVER_MODEL_VERSION: model.version,
    MLSERVER_MODEL_IMPLEMENTATION: runtimes[serving.server],
    // Without it its handler of SIGUSR1, see `retire`, is not there.
    [farewellVariable]: localDir("logs", `${model.name}.pid`),
    ...settings,
  };
  const folder = emptyFolder();
  const args = ["mlserver.cli.main", "start", folder];
  return environment.module(titleOf(model), model.log, args, variables, folder);
}

/** A model at its server's own ports, where nobody stands between. */
export function inside(model: LocalModel): LocalModel {
  return { ...model, ...model.behind };
}

/** Ends a server that nobody is led to any more, without a lost request; the project's own lingers at SIGTERM itself. */
export async function retire({ identity }: LocalModel): Promise<void> {
  if (isRunning(identity) && processTable.variable(identity.pid, farewellVariable) !== undefined) {
    process.kill(identity.pid, "SIGUSR1");
    await sleep(lingerMilliseconds);
  }
  await stop(identity);
}

function titleOf({ name }: Told): string {
  return `model server ${name}`;
}

/** A folder without settings: MLServer reads those of the one it is given, and `.env` of the one it runs in. */
function emptyFolder(): string {
  const folder = localDir("mlserver");
  mkdirSync(folder, { recursive: true });
  return folder;
}

function base({ rest }: Addressed): string {
  return `http://${localHost}:${rest}`;
}

/** Where a local model makes predictions. */
export function predictUrl(model: Addressed): string {
  return `${base(model)}${protocolClients[model.protocol].own.predictions(model.name)}`;
}

/** A client of a local model. */
export function localClient(model: LocalModel): ModelClient {
  const asked = { unit: model.name, chained: false };
  return protocolClients[model.protocol].client(exchangeWith(base(model)), asked);
}

/** Whether a local model is ready. @throws Error nothing answers at its address. */
export async function modelAnswers(model: Addressed): Promise<boolean> {
  const path = protocolClients[model.protocol].own.health(model.name);
  return (await fetch(`${base(model)}${path}`, { signal: AbortSignal.timeout(2_000) })).ok;
}
