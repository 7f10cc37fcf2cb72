import { existsSync, renameSync } from "node:fs";

import type { ModelVersion } from "../mlflow";
import { type ProcessIdentity, isRunning, signalOwn, stop } from "../ownProcesses";
import { Service } from "../process";
import { processTable } from "../processTable";
import type { Step } from "../progress";
import type { Environment } from "../python";
import { servingFingerprint } from "./fingerprint";
import { PortsTaken, lead } from "./front/front";
import { inside, modelAnswers, predictUrl, retire, serverCommand } from "./modelServer";
import type { PortChoice } from "./portChoice";
import { proofOf } from "./proof";
import type { Servable } from "./registered";
import type { Score } from "./score";
import { isRight, onFreePorts, ready } from "./starting";
import {
  type LocalModel,
  type ModelPorts,
  localDir,
  readState,
  runningModel,
  serviceMark,
  together,
  writeState,
} from "./state";

/** How long it may take to lead people back. */
const backMilliseconds = 15_000;

/** Model servers that are started, and that the state does not tell of yet. */
const coming = new Set<ProcessIdentity>();

/** Ends the servers that are not in service yet, for a user who cannot wait. */
export function killComing(): void {
  for (const identity of coming) signalOwn(identity, "SIGKILL");
}

/** What is to be in service. */
export interface ToServe {
  readonly manifest: Servable;
  readonly environment: Environment;
  readonly version: ModelVersion;
  /** Folder of the version's files. */
  readonly files: string;
  /** Whether what its own libraries answer does not count. @default false */
  readonly uncompared?: boolean;
  readonly score?: Score | undefined;
}

/** The model servers of the local target, behind its front. */
export class ModelServices {
  /** What was started for models that nothing served before. */
  readonly startedHere: ProcessIdentity[] = [];
  private leading: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly ports: PortChoice,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * The server of a version, in service: it has shown that it answers as it should. It takes the place of the one that
   * serves the model, without a lost request; if it cannot, that one goes on.
   *
   * @param seen looks at it in service; if that throws, the one of before is in service again.
   * @throws UserError it ended, or does not answer as it should.
   */
  async serve(
    toServe: ToServe,
    step: Step,
    seen?: (model: LocalModel) => Promise<void>,
  ): Promise<LocalModel> {
    const { manifest, environment, version, files, score } = toServe;
    const made = servingFingerprint(manifest, environment.id, files, version.version, this.ports.asked);
    const prove = proofOf(manifest, environment, files, toServe.uncompared);
    const right = async (one: LocalModel) => {
      const { identity, behind } = one;
      if (!(await modelAnswers(inside(one))) || !processTable.listens(identity.pid, behind.rest))
        return false;
      await prove(inside(one));
      return true;
    };
    const before = runningModel(manifest.name);
    if (before !== undefined && (await isRight(before, made, right, step, this.signal))) {
      const same = { ...before, ...(score && { score }), uncompared: toServe.uncompared ?? false };
      await this.lead(same);
      step.detail(`${predictUrl(same)}, was running`);
      await seen?.(same);
      return same;
    }
    step.detail("loading the model");
    const where = await this.ports.ofModel(before);
    const model = await onFreePorts(
      () => this.ports.any(),
      async (behind) => {
        const server = await this.start(toServe, { made, behind, ...where });
        try {
          await ready(server.service, behind.rest, () => modelAnswers(inside(server.model)), this.signal);
          const shown = await prove(inside(server.model));
          step.detail(`version ${version.version} ${shown}`);
          return await this.exchange(before, server.model, seen);
        } catch (error) {
          await stop(server.model.identity);
          throw error;
        } finally {
          coming.delete(server.model.identity);
        }
      },
    );
    if (before === undefined) this.startedHere.push(model.identity);
    return model;
  }

  private async start(
    { manifest, environment, version, files, score, uncompared = false }: ToServe,
    where: ModelPorts & Pick<LocalModel, "behind" | "made">,
  ): Promise<{ readonly service: Service; readonly model: LocalModel }> {
    const { name, serving } = manifest;
    const log = localDir("logs", `${name}.log`);
    // The server of before goes on writing into its own.
    if (existsSync(log)) renameSync(log, localDir("logs", `${name}.before.log`));
    const { protocol } = serving;
    const described = {
      ...{ name, version: version.version, protocol, log, ...where, uncompared },
      ...(score && { score }),
    };
    const command = serverCommand(manifest, environment, described, files);
    const mark = serviceMark({ model: described });
    const service = await Service.start({ ...command, env: { ...command.env, ...mark } });
    coming.add(service.identity);
    return { service, model: { identity: service.identity, ...described } };
  }

  /** Leads people from a server to the one that takes its place. */
  private async exchange(
    before: LocalModel | undefined,
    next: LocalModel,
    seen: (model: LocalModel) => Promise<void> = () => Promise.resolve(),
  ): Promise<LocalModel> {
    let model: LocalModel;
    try {
      model = await this.lead(next);
      await seen(model);
    } catch (error) {
      // Also where the user wants to stop.
      if (before !== undefined && isRunning(before.identity))
        await this.lead(before, AbortSignal.timeout(backMilliseconds));
      throw error;
    }
    if (before !== undefined) await retire(before);
    return model;
  }

  /** Leads people to a server; on other ports, if one that was chosen for it is not to be had. */
  private async lead(model: LocalModel, signal = this.signal): Promise<LocalModel> {
    const put = (one: LocalModel) =>
      this.inOrder(async () => {
        writeState(together(readState(), { models: { [one.name]: one } }));
        await lead(signal);
        return one;
      });
    try {
      return await put(model);
    } catch (error) {
      const asked: readonly unknown[] = Object.values(this.ports.asked);
      if (!(error instanceof PortsTaken) || error.ports.some((port) => asked.includes(port))) throw error;
      return put({ ...model, ...(await this.ports.ofModel()) });
    }
  }

  /** One after the other: each time the front is told of all. */
  private inOrder<T>(work: () => Promise<T>): Promise<T> {
    const next = this.leading.then(work);
    this.leading = next.catch(() => undefined);
    return next;
  }
}
