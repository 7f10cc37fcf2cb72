/** The front end of the local target: the page on which people ask the models. */
import { Service } from "../process";
import { processTable } from "../processTable";
import { type ProcessIdentity, stop } from "../ownProcesses";
import { localHost } from "../ports";
import type { Step } from "../progress";
import type { Environment } from "../python";
import { frontendFingerprint } from "./fingerprint";
import { listModels, listedFile } from "./listed";
import { type PortChoice, usualPorts } from "./portChoice";
import { isRight, onFreePorts, ready } from "./starting";
import { type LocalFrontend, localDir, readState, serviceMark, together, writeState } from "./state";

/** Where the page is. */
export function frontendUrl({ port }: Pick<LocalFrontend, "port">): string {
  return `http://${localHost}:${port}`;
}

/** Whether the page answers. @throws Error nothing does at its address. */
export async function frontendAnswers(frontend: Pick<LocalFrontend, "port">): Promise<boolean> {
  const health = `${frontendUrl(frontend)}/_stcore/health`;
  return (await fetch(health, { signal: AbortSignal.timeout(2_000) })).ok;
}

/**
 * The page: the one that runs, if it is of the same making, or else a new one.
 *
 * @param began is told of what is started.
 * @returns its address.
 * @throws UserError it does not start, or its port is not to be had.
 */
export async function serveFrontend(
  environment: Environment,
  ports: PortChoice,
  step: Step,
  signal: AbortSignal,
  began: (identity: ProcessIdentity) => void,
): Promise<string> {
  const { frontend: asked } = ports.asked;
  const made = frontendFingerprint(environment.id, asked);
  const { frontend: running, models = {} } = readState();
  listModels(Object.values(models));
  const right = async (found: LocalFrontend) =>
    (await frontendAnswers(found)) && processTable.listens(found.identity.pid, found.port);
  if (running !== undefined) {
    if (await isRight(running, made, right, step, signal)) {
      step.detail(`${frontendUrl(running)}, was running`);
      return frontendUrl(running);
    }
    step.detail("stopping the one of before");
    await stop(running.identity);
  }
  step.detail("starting");
  const startOn = async ({ frontend: port }: { readonly frontend: number }) => {
    const frontend = { made, log: localDir("logs", "frontend.log"), port };
    const names = [localHost, "localhost"].flatMap((name) => ["--name", name]);
    const args = [
      "frontend",
      "--models",
      listedFile(),
      "--host",
      localHost,
      "--port",
      String(port),
      ...names,
    ];
    const service = await Service.start(
      environment.module("front end", frontend.log, args, serviceMark({ frontend })),
    );
    began(service.identity);
    writeState(together(readState(), { frontend: { identity: service.identity, ...frontend } }));
    try {
      await ready(service, port, () => frontendAnswers({ port }), signal);
    } catch (error) {
      await stop(service.identity);
      throw error;
    }
    const other = port === (asked ?? usualPorts.frontend) ? "" : ` (${usualPorts.frontend} is in use)`;
    step.detail(`${frontendUrl({ port })}${other}`);
    return frontendUrl({ port });
  };
  if (asked !== undefined) return startOn({ frontend: asked });
  return onFreePorts(async () => ({ frontend: await ports.of("frontend") }), startOn);
}
