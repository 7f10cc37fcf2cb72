import { mkdirSync } from "node:fs";

import { UserError } from "../errors";
import { MlflowClient, type ModelVersion } from "../mlflow";
import { readParityRecord, checkParity } from "../parity";
import { choosePort, isFree, localHost } from "../ports";
import { type ProcessIdentity, stop } from "../ownProcesses";
import { Service } from "../process";
import type { Step } from "../progress";
import type { Environment } from "../python";
import { sendTo } from "../seldon";
import { servingFingerprint } from "./fingerprint";
import { type LocalModel, type LocalState, localDir, readState, servicesOf, writeState } from "./state";

/** Ports that the user asked for; each that is not there is chosen. */
export interface Ports {
  readonly mlflow?: number | undefined;
  readonly rest?: number | undefined;
  readonly grpc?: number | undefined;
  readonly metrics?: number | undefined;
}

const preferredPorts = { mlflow: 5050, rest: 9000, grpc: 5000, metrics: 6000 } as const satisfies Ports;
const readySeconds = 120;

/** The services of the local target: those that run already are found, the others started. */
export class LocalServices {
  private readonly startedHere: ProcessIdentity[] = [];
  private readonly takenPorts: Set<number>;

  constructor(
    private readonly ports: Ports,
    private readonly signal: AbortSignal,
  ) {
    this.takenPorts = new Set(askedFor(ports));
  }

  /** Checks the ports that the user asked for, before anything is made. @throws UserError all that are in use. */
  async checkPorts(): Promise<void> {
    const { mlflow, model } = readState();
    const ours = new Set([mlflow?.port, model?.rest, model?.grpc, model?.metrics]);
    const asked = askedFor(this.ports);
    const free = await Promise.all(asked.map(async (port) => ours.has(port) || (await isFree(port))));
    const busy = asked.filter((_, index) => !free[index]);
    const twice = asked.filter((port, index) => asked.indexOf(port) !== index);
    if (busy.length === 0 && twice.length === 0) return;
    throw new UserError(
      [
        ...busy.map((port) => `port ${port} is in use on ${localHost}`),
        ...twice.map((port) => `port ${port} is asked for twice`),
      ].join("; ") + `. Choose others, or leave the options out: free ones are then taken.`,
    );
  }

  /** The MLflow server, on SQLite and a folder. */
  async mlflow(environment: Environment, step: Step): Promise<MlflowClient> {
    const made = JSON.stringify([environment.id, this.ports.mlflow]);
    const running = readState().mlflow;
    if (running !== undefined) {
      const client = new MlflowClient(`http://${localHost}:${running.port}`);
      if (running.made === made && (await client.healthy().catch(() => false))) {
        step.detail(`${client.url}, was running`);
        return client;
      }
      await stop(running.identity);
    }
    const port = await this.port("mlflow");
    const client = new MlflowClient(`http://${localHost}:${port}`);
    const log = localDir("logs", "mlflow.log");
    step.detail("starting");
    mkdirSync(localDir("artifacts"), { recursive: true });
    const listen = ["--host", localHost, "--port", String(port), "--workers", "1"];
    const store = ["--backend-store-uri", `sqlite:///${localDir("mlflow.db")}`];
    const artifacts = ["--serve-artifacts", "--artifacts-destination", localDir("artifacts")];
    const service = await Service.start(
      environment.module("MLflow server", log, ["mlflow", "server", ...listen, ...store, ...artifacts], {
        // The job runner is for evaluations by language models; it takes 1.2 GB and seconds of start-up.
        MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false",
        MLFLOW_DISABLE_TELEMETRY: "true",
      }),
    );
    this.record({ mlflow: { identity: service.identity, made, log, port } });
    await service.ready(() => client.healthy(), readySeconds, this.signal);
    step.detail(
      `${client.url}${port === preferredPorts.mlflow ? "" : ` (${preferredPorts.mlflow} is in use)`}`,
    );
    return client;
  }

  /**
   * The model server of a version, in service: it has answered the rows recorded at training with the same numbers.
   *
   * @param files folder of the model's files.
   */
  async model(
    environment: Environment,
    version: ModelVersion,
    files: string,
    step: Step,
  ): Promise<LocalModel> {
    const made = servingFingerprint(environment.id, files, version.version, this.ports);
    const record = readParityRecord(files);
    const running = readState().model;
    if (running !== undefined) {
      if (running.made === made && (await modelAnswers(running.rest))) {
        await checkParity(sendTo(predictUrl(running)), record);
        step.detail(`${predictUrl(running)}, was running`);
        return running;
      }
      await stop(running.identity);
    }
    const rest = await this.port("rest");
    const grpc = await this.port("grpc");
    const metrics = await this.port("metrics");
    const log = localDir("logs", "model-server.log");
    step.detail("loading the model");
    const parameters = { model_dir: files, model_name: version.name, model_version: version.version };
    const service = await Service.start(
      environment.module(
        "model server",
        log,
        ["modelserver", "house_price.serve.HousePrice", "--host", localHost],
        {
          PREDICTIVE_UNIT_HTTP_SERVICE_PORT: String(rest),
          PREDICTIVE_UNIT_GRPC_SERVICE_PORT: String(grpc),
          PREDICTIVE_UNIT_METRICS_SERVICE_PORT: String(metrics),
          PREDICTIVE_UNIT_PARAMETERS: JSON.stringify(
            Object.entries(parameters).map(([name, value]) => ({ name, value, type: "STRING" })),
          ),
        },
      ),
    );
    const { identity } = service;
    const model: LocalModel = {
      identity,
      made,
      log,
      name: version.name,
      version: version.version,
      rest,
      grpc,
      metrics,
    };
    this.record({ model });
    await service.ready(() => modelAnswers(rest), readySeconds, this.signal);
    await checkParity(sendTo(predictUrl(model)), record);
    step.detail(`version ${version.version} answers as at its training`);
    return model;
  }

  /** Stops what this run has started; what ran before goes on. */
  async stopStarted(): Promise<void> {
    await Promise.all(this.startedHere.map(stop));
    writeState(readState());
  }

  private async port(service: keyof Ports): Promise<number> {
    return this.ports[service] ?? (await choosePort(preferredPorts[service], this.takenPorts));
  }

  private record(started: LocalState): void {
    for (const [, { identity }] of servicesOf(started)) this.startedHere.push(identity);
    writeState({ ...readState(), ...started });
  }
}

/** Where a local model answers Seldon's protocol. */
export function predictUrl(model: LocalModel): string {
  return `http://${localHost}:${model.rest}/predict`;
}

function askedFor(ports: Ports): number[] {
  return (Object.values(ports) as (number | undefined)[]).filter((port) => port !== undefined);
}

/** Whether the model server on this REST port is healthy. @throws Error nothing answers there. */
export async function modelAnswers(restPort: number): Promise<boolean> {
  const url = `http://${localHost}:${restPort}/health/status`;
  return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok;
}
