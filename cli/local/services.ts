import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import type { Manifest } from "../../config/manifests";
import { UserError, messageOf } from "../errors";
import { MlflowClient, type ModelVersion } from "../mlflow";
import { readParityRecord, checkParity } from "../parity";
import { choosePort, isFree, localHost } from "../ports";
import { type ProcessIdentity, isRunning, stop } from "../ownProcesses";
import { Service, ServiceEnded } from "../process";
import { processTable } from "../processTable";
import type { Step } from "../progress";
import type { Environment } from "../python";
import { servingFingerprint } from "./fingerprint";
import { localClient, modelAnswers, predictUrl, serverCommand } from "./modelServer";
import {
  type LocalMlflow,
  type LocalModel,
  type LocalService,
  type LocalState,
  localDir,
  readState,
  serviceMark,
  servicesOf,
  together,
  writeState,
} from "./state";

/** Ports that the user asked for; each that is not there is chosen. */
export interface Ports {
  readonly mlflow?: number | undefined;
  readonly rest?: number | undefined;
  readonly grpc?: number | undefined;
  readonly metrics?: number | undefined;
}

const preferredPorts = { mlflow: 5050, rest: 9000, grpc: 5000, metrics: 6000 } as const satisfies Ports;
const readySeconds = 120;
/** To start a service anew takes about as long. */
const reuseSeconds = 10;

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
    const { mlflow, models = {} } = readState();
    const taken = Object.values(models).flatMap(({ rest, grpc, metrics }) => [rest, grpc, metrics]);
    const ours = new Set([mlflow?.port, ...taken]);
    const asked = askedFor(this.ports);
    // Each once: the one port would be in the way of itself.
    const different = [...new Set(asked)];
    const free = await Promise.all(different.map(async (port) => ours.has(port) || (await isFree(port))));
    const busy = different.filter((_, index) => !free[index]);
    const twice = different.filter((port) => asked.indexOf(port) !== asked.lastIndexOf(port));
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
    const clientOf = (port: number) => new MlflowClient(`http://${localHost}:${port}`);
    const right = async ({ identity, port }: LocalMlflow) =>
      (await clientOf(port).healthy()) && processTable.listens(identity.pid, port);
    const running = await this.reuse(readState().mlflow, made, right, step);
    if (running !== undefined) {
      const client = clientOf(running.port);
      step.detail(`${client.url}, was running`);
      return client;
    }
    const log = localDir("logs", "mlflow.log");
    step.detail("starting");
    mkdirSync(localDir("artifacts"), { recursive: true });
    const store = ["--backend-store-uri", `sqlite:///${database()}`];
    const artifacts = ["--serve-artifacts", "--artifacts-destination", localDir("artifacts")];
    const start = () =>
      this.onFreePorts(["mlflow"], async ({ mlflow: port }) => {
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
        this.record({ mlflow: { identity: service.identity, ...mlflow } });
        await this.ready(service, port, () => client.healthy());
        writeFileSync(database("complete"), "");
        step.detail(
          `${client.url}${port === preferredPorts.mlflow ? "" : ` (${preferredPorts.mlflow} is in use)`}`,
        );
        return client;
      });
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof ServiceEnded) || !isUnfinished(log)) throw error;
      step.detail("its database was left half made by a run that was killed: beginning anew");
      renameSync(database(), database("unfinished"));
      return await start();
    }
  }

  /**
   * The model server of a version, in service: it has answered the rows recorded at training with the same numbers.
   *
   * @param files folder of the model's files.
   */
  async model(
    manifest: Manifest,
    environment: Environment,
    version: ModelVersion,
    files: string,
    step: Step,
  ): Promise<LocalModel> {
    const made = servingFingerprint(manifest, environment.id, files, version.version, this.ports);
    const record = readParityRecord(files);
    const right = async (one: LocalModel) => {
      if (!(await modelAnswers(one)) || !processTable.listens(one.identity.pid, one.rest)) return false;
      await checkParity(localClient(one), record);
      return true;
    };
    const running = await this.reuse(readState().models?.[manifest.name], made, right, step);
    if (running !== undefined) {
      step.detail(`${predictUrl(running)}, was running`);
      return running;
    }
    const { name, serving } = manifest;
    const about = { made, name, version: version.version, protocol: serving.protocol };
    const log = localDir("logs", `${name}.log`);
    step.detail("loading the model");
    return this.onFreePorts(["rest", "grpc", "metrics"], async ({ rest, grpc, metrics }) => {
      const described = { ...about, log, rest, grpc, metrics };
      const command = serverCommand(manifest, environment, described, files);
      const mark = serviceMark({ model: described });
      const service = await Service.start({ ...command, env: { ...command.env, ...mark } });
      const model: LocalModel = { identity: service.identity, ...described };
      this.record({ models: { [name]: model } });
      await this.ready(service, rest, () => modelAnswers(model));
      await checkParity(localClient(model), record);
      step.detail(`version ${version.version} answers as at its training`);
      return model;
    });
  }

  /** Stops what this run has started; what ran before goes on. */
  async stopStarted(): Promise<void> {
    await Promise.all(this.startedHere.map(stop));
    writeState(readState());
  }

  /**
   * A service of an earlier run, if it is of the same making and answers. One that does not yet, because that run was
   * killed while it loaded, is waited for; one that hangs is stopped, as is one of another making.
   */
  private async reuse<T extends LocalService>(
    found: T | undefined,
    made: string,
    answers: (service: T) => Promise<boolean>,
    step: Step,
  ): Promise<T | undefined> {
    if (found === undefined) return undefined;
    const deadline = Date.now() + reuseSeconds * 1000;
    while (found.made === made && isRunning(found.identity) && Date.now() < deadline) {
      if (await answers(found).catch(() => false)) return found;
      this.signal.throwIfAborted();
      step.detail("runs, and does not answer yet");
      await sleep(100);
    }
    step.detail("stopping the one of before");
    await stop(found.identity);
    return undefined;
  }

  /**
   * Starts a service on its ports; once more, on others, if a program of somebody else has got one that was free when
   * it was chosen.
   */
  private async onFreePorts<Name extends keyof Ports, T>(
    names: readonly Name[],
    start: (ports: Record<Name, number>) => Promise<T>,
  ): Promise<T> {
    const choose = async () => {
      const ports: [Name, number][] = [];
      for (const name of names)
        ports.push([name, this.ports[name] ?? (await choosePort(preferredPorts[name], this.takenPorts))]);
      return Object.fromEntries(ports) as Record<Name, number>;
    };
    const ports = await choose();
    try {
      return await start(ports);
    } catch (error) {
      const chosen = names.filter((name) => this.ports[name] === undefined);
      const free = await Promise.all(chosen.map((name) => isFree(ports[name])));
      // The other program may have gone again; the model server says that there was one.
      const taken = free.includes(false) || messageOf(error).includes("is not to be had");
      if (!(error instanceof ServiceEnded) || chosen.length === 0 || !taken) throw error;
      return start(await choose());
    }
  }

  /** Waits until a service answers: itself, and not another program that has got its port before it. */
  private ready(service: Service, port: number, answers: () => Promise<boolean>): Promise<void> {
    const itself = async () => {
      if (!(await answers())) return false;
      if (processTable.listens(service.identity.pid, port)) return true;
      await stop(service.identity);
      return false;
    };
    return service.ready(itself, readySeconds, this.signal);
  }

  private record(started: LocalState): void {
    for (const [, { identity }] of servicesOf(started)) this.startedHere.push(identity);
    writeState(together(readState(), started));
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

function askedFor(ports: Ports): number[] {
  return (Object.values(ports) as (number | undefined)[]).filter((port) => port !== undefined);
}
