import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";

import { MlflowClient } from "../mlflow";
import { localHost } from "../ports";
import { type ProcessIdentity, stop } from "../ownProcesses";
import { Service, ServiceEnded } from "../process";
import { processTable } from "../processTable";
import type { Step } from "../progress";
import type { Environment } from "../python";
import { lead } from "./front/front";
import { serveFrontend } from "./frontend";
import { ModelServices } from "./modelServices";
import { PortChoice, type Ports, usualPorts } from "./portChoice";
import { isRight, onFreePorts, ready } from "./starting";
import { type LocalMlflow, localDir, readState, serviceMark, together, writeState } from "./state";

/** The services of the local target: those that run already are found, the others started. */
export class LocalServices {
  /** The servers of the models. */
  readonly models: ModelServices;
  private readonly startedHere: ProcessIdentity[] = [];
  private readonly ports: PortChoice;

  constructor(
    asked: Ports,
    private readonly signal: AbortSignal,
  ) {
    this.ports = new PortChoice(asked);
    this.models = new ModelServices(this.ports, signal);
  }

  /** Checks the ports that the user asked for, before anything is made. @throws UserError all that are in use. */
  checkPorts(): Promise<void> {
    return this.ports.check();
  }

  /** The MLflow server, on SQLite and a folder. */
  async mlflow(environment: Environment, step: Step): Promise<MlflowClient> {
    const made = JSON.stringify([environment.id, this.ports.asked.mlflow]);
    const clientOf = (port: number) => new MlflowClient(`http://${localHost}:${port}`);
    const right = async ({ identity, port }: LocalMlflow) =>
      (await clientOf(port).healthy()) && processTable.listens(identity.pid, port);
    const running = readState().mlflow;
    if (running !== undefined) {
      const client = clientOf(running.port);
      if (await isRight(running, made, right, step, this.signal)) {
        step.detail(`${client.url}, was running`);
        return client;
      }
      step.detail("stopping the one of before");
      await stop(running.identity);
    }
    const log = localDir("logs", "mlflow.log");
    step.detail("starting");
    mkdirSync(localDir("artifacts"), { recursive: true });
    const store = ["--backend-store-uri", `sqlite:///${database()}`];
    const artifacts = ["--serve-artifacts", "--artifacts-destination", localDir("artifacts")];
    const startOn = async ({ mlflow: port }: { readonly mlflow: number }) => {
      const client = clientOf(port);
      const listen = ["--host", localHost, "--port", String(port), "--workers", "1"];
      const mlflow = { made, log, port };
      const service = await Service.start(
        environment.module("MLflow server", log, ["mlflow", "server", ...listen, ...store, ...artifacts], {
          // The job runner is for evaluations by language models; it takes 1.2 GB and seconds of start-up.
          MLFLOW_SERVER_ENABLE_JOB_EXECUTION: "false",
          MLFLOW_DISABLE_TELEMETRY: "true",
          ...serviceMark({ mlflow }),
        }),
      );
      this.startedHere.push(service.identity);
      writeState(together(readState(), { mlflow: { identity: service.identity, ...mlflow } }));
      try {
        await ready(service, port, () => client.healthy(), this.signal);
      } catch (error) {
        // What it has started may outlive it, and go on with its database.
        await stop(service.identity);
        throw error;
      }
      writeFileSync(database("complete"), "");
      step.detail(
        `${client.url}${port === (asked ?? usualPorts.mlflow) ? "" : ` (${usualPorts.mlflow} is in use)`}`,
      );
      return client;
    };
    const { mlflow: asked } = this.ports.asked;
    const start = () =>
      asked === undefined
        ? onFreePorts(async () => ({ mlflow: await this.ports.of("mlflow") }), startOn)
        : startOn({ mlflow: asked });
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof ServiceEnded) || !isUnfinished(log)) throw error;
      step.detail("its database was left half made by a run that was killed: beginning anew");
      renameSync(database(), database("unfinished"));
      return await start();
    }
  }

  /** The front end's page. @returns its address. */
  frontend(environment: Environment, step: Step): Promise<string> {
    return serveFrontend(environment, this.ports, step, this.signal, (identity) => {
      this.startedHere.push(identity);
    });
  }

  /** Stops what this run has started, but for what has taken the place of another; what ran before goes on. */
  async stopStarted(): Promise<void> {
    await Promise.all([...this.startedHere, ...this.models.startedHere].map(stop));
    // The front goes with the last of the models; that it was told to stop is no reason to leave it.
    await lead(AbortSignal.timeout(10_000));
  }
}

/** MLflow's database; the mark beside it that it was complete once; where one is put aside that never was. */
function database(beside?: "complete" | "unfinished"): string {
  return localDir(beside === undefined ? "mlflow.db" : `mlflow.db.${beside}`);
}

/** Whether MLflow has found a database whose making was cut off: SQLite keeps each table, and MLflow begins anew. */
function isUnfinished(log: string): boolean {
  return !existsSync(database("complete")) && /table \S+ already exists/.test(readFileSync(log, "utf8"));
}
