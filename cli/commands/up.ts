import { setTimeout as sleep } from "node:timers/promises";

import colors from "picocolors";

import { type ClusterState, findCluster } from "../cluster/cluster";
import { UserError } from "../errors";
import { type Interruption, onInterruption } from "../interruption";
import { type Ports, predictUrl } from "../local/services";
import { type LocalService, localDir, lock, readState, servicesOf, writeState } from "../local/state";
import { type LocalUp, bringUp, exampleRow } from "../local/target";
import { shown } from "../paths";
import { localHost } from "../ports";
import { isRunning, logExcerpt, stop } from "../process";
import { Progress } from "../progress";
import { firstOutputs } from "../seldon";
import { answerTable } from "../table";

/** Options of `npm run up`. */
export interface UpOptions {
  readonly data?: string;
  readonly python?: string;
  readonly ports: Ports;
  readonly once?: boolean;
  readonly detach?: boolean;
  readonly json?: boolean;
}

/**
 * `npm run up`: chooses the target, brings it up, and keeps it up until it is told to stop.
 *
 * @throws UserError a step failed, a service ended later, or it was told to stop before all was up.
 */
export async function up(options: UpOptions): Promise<void> {
  const release = lock();
  const progress = Progress.for(options);
  const interruption = onInterruption(killServices);
  const began = Date.now();
  try {
    announceTarget(await findCluster(), progress);
    const local = await bringUp(options, progress, interruption.signal);
    progress.stop();
    summarise(local, (Date.now() - began) / 1000, progress);
    if (options.once) {
      await local.stopStarted();
    } else if (options.detach) {
      progress.say("\n  It goes on in the background: npm run status, npm run predict, npm run down");
    } else {
      progress.say(`\n  Ctrl-C stops everything. Data and logs stay in ${shown(localDir())}.`);
      await keepUp(interruption);
    }
  } finally {
    progress.stop();
    interruption.dispose();
    release();
  }
}

/** Says which target is taken, and why. */
function announceTarget(found: ClusterState, progress: Progress): void {
  const reason = whyLocal(found);
  progress.event({ event: "target", target: "local", reason });
  progress.say(`${colors.bold("Target: local")}, the platform as processes of this machine: ${reason}.\n`);
}

function whyLocal(found: ClusterState): string {
  switch (found.state) {
    case "none":
      return `there is no Kubernetes cluster (${found.reason})`;
    case "silent":
      return `the Kubernetes cluster of context ${found.context} does not answer (${found.reason})`;
    case "answers":
      return `this version does not deploy to clusters yet (that of context ${found.context} would answer)`;
  }
}

/** Shows the prediction and what to open. */
function summarise(local: LocalUp, seconds: number, progress: Progress): void {
  const { model, answer } = local;
  const urls = {
    mlflow: local.mlflowUrl,
    predict: predictUrl(model),
    metrics: `http://${localHost}:${model.metrics}/metrics`,
    grpc: `${localHost}:${model.grpc}`,
  };
  progress.event({
    event: "up",
    target: "local",
    seconds,
    model: {
      name: model.name,
      version: model.version,
      runId: local.version.runId,
      testScore: local.testScore,
    },
    prediction: { row: exampleRow, price: firstOutputs(answer)[0], metrics: answer.meta?.metrics },
    urls,
    logs: localDir("logs"),
  });
  const score = local.testScore === undefined ? "" : `, R² ${local.testScore.toFixed(3)} on test rows`;
  const body = JSON.stringify({ data: { ndarray: [exampleRow] } });
  progress.say(`
${colors.bold(`${model.name} version ${model.version}`)} (champion${score}) answers for ${JSON.stringify(exampleRow)}:

${answerTable(answer)}

  MLflow        ${urls.mlflow}
  predictions   curl ${urls.predict} -H 'Content-Type: application/json' -d '${body}'
  metrics       ${urls.metrics}
  gRPC          ${urls.grpc}
  logs          ${shown(localDir("logs"))}

  Up after ${seconds.toFixed(1)} s.`);
}

/** Waits until it is told to stop, or a service ends; then stops all. @throws UserError a service has ended. */
async function keepUp({ signal }: Interruption): Promise<void> {
  const services = servicesOf(readState());
  let ended: [string, LocalService] | undefined;
  while (!signal.aborted && ended === undefined) {
    await sleep(500, undefined, { signal }).catch(() => undefined);
    ended = services.find(([, { identity }]) => !isRunning(identity));
  }
  await Promise.all(services.map(([, { identity }]) => stop(identity)));
  writeState({});
  if (ended === undefined || signal.aborted) return;
  const [name, { log }] = ended;
  throw new UserError(`${name} has ended by itself. ${logExcerpt(log)}`);
}

/** Ends the services at once, for a user who cannot wait. */
function killServices(): void {
  for (const [, { identity }] of servicesOf(readState())) process.kill(-identity.pid, "SIGKILL");
}
