import { setTimeout as sleep } from "node:timers/promises";

import colors from "picocolors";

import { UserError, messageOf } from "../errors";
import type { Interruption } from "../interruption";
import { shown } from "../paths";
import { localHost } from "../ports";
import { isRunning, signalOwn, stop } from "../ownProcesses";
import { logExcerpt } from "../process";
import type { Progress } from "../progress";
import { type Answer, type Rows, outputs } from "../protocols/answer";
import { protocolClients } from "../protocols/protocols";
import { fullDisk } from "../systemFailure";
import { answerTable } from "../table";
import { predictUrl } from "./modelServer";
import { clearUp } from "./clearing";
import { refuseOddFolder } from "./folder";
import { killComing } from "./modelServices";
import type { Ports } from "./portChoice";
import {
  type LocalModel,
  type LocalService,
  localDir,
  readState,
  recordedState,
  servicesOf,
  writeState,
  writtenState,
} from "./state";
import { type LocalUp, bringUp } from "./target";
import { takeTurn } from "./turns";

/** How the local target is brought up. */
export interface LocalUpOptions {
  readonly models?: string;
  readonly allowCode?: string;
  readonly parityOff?: string;
  readonly data?: string;
  readonly dataCopy?: boolean;
  readonly python?: string;
  readonly frontend?: boolean;
  readonly ports: Ports;
  readonly once?: boolean;
  readonly detach?: boolean;
}

/**
 * Brings the local target up, and keeps it up until it is told to stop.
 *
 * @throws UserError a step failed, a service ended later, or it was told to stop before all was up.
 */
export async function upLocal(
  options: LocalUpOptions,
  progress: Progress,
  interruption: Interruption,
): Promise<void> {
  refuseOddFolder();
  const began = Date.now();
  const turn = takeTurn("up");
  try {
    await clearUp(progress, interruption.signal);
    const local = await bringUp(options, progress, interruption.signal);
    progress.stop();
    summarise(local, (Date.now() - began) / 1000, progress);
    if (options.once) {
      await local.stopStarted();
    } else if (options.detach) {
      progress.say("\n  It goes on in the background: npm run status, npm run predict, npm run down");
    } else {
      progress.say(`\n  Ctrl-C stops everything. Data and logs stay in ${shown(localDir())}.`);
      turn.keep();
      await keepUp(interruption);
    }
  } catch (error) {
    // Whoever could not write says so in a log, if at all.
    const full = interruption.signal.aborted ? undefined : fullDisk(localDir());
    throw full === undefined ? error : new UserError(`${full}. ${messageOf(error)}`);
  } finally {
    turn.end();
  }
}

/** Shows the predictions and what to open. */
function summarise({ mlflowUrl, frontendUrl, models }: LocalUp, seconds: number, progress: Progress): void {
  progress.event({
    event: "up",
    target: "local",
    seconds,
    models: models.map(({ model, version, score, asked }) => ({
      name: model.name,
      version: model.version,
      runId: version.runId,
      testScore: score?.value,
      prediction: asked && {
        row: asked.rows.ndarray[0],
        names: asked.rows.names,
        value: firstRow(asked.answer),
        metrics: asked.answer.meta?.metrics,
      },
      urls: urlsOf(model),
    })),
    mlflow: mlflowUrl,
    frontend: frontendUrl,
    logs: localDir("logs"),
  });
  const shownModels = models.map(({ model, isChampion, score, asked }) => {
    const urls = urlsOf(model);
    const which = isChampion ? "champion" : "the newest version";
    const scored = score === undefined ? "" : `, ${score.name} ${score.value.toFixed(3)} on its test rows`;
    const title = `${colors.bold(`${model.name} version ${model.version}`)} (${which}${scored})`;
    const answered = asked
      ? `answers for ${shownRow(asked.rows)}:\n\n${answerTable(asked.answer)}`
      : "is ready; no example that is a table of rows was logged with it.";
    const body = asked && JSON.stringify(protocolClients[model.protocol].request(asked.rows));
    const data = body === undefined ? "" : ` -d '${body.replaceAll("'", "'\\''")}'`;
    return `${title} ${answered}

  predictions   curl ${urls.predict} -H 'Content-Type: application/json'${data}
  metrics       ${urls.metrics}
  gRPC          ${urls.grpc}
`;
  });
  progress.say(`
${shownModels.join("\n")}
  MLflow        ${mlflowUrl}
  logs          ${shown(localDir("logs"))}${frontendUrl === undefined ? "" : `\n  front end     ${colors.cyan(frontendUrl)}`}

  Up after ${seconds.toFixed(1)} s.`);
}

/** What is answered to the one row: a number, or several. */
function firstRow(answer: Answer) {
  const [row = []] = outputs(answer);
  return row.length === 1 ? row[0] : row;
}

/** The first row, as a user may type it. */
function shownRow({ names, ndarray: [row = []] }: Rows): string {
  return JSON.stringify(names ? Object.fromEntries(names.map((name, at) => [name, row[at]])) : row);
}

function urlsOf(model: LocalModel) {
  return {
    predict: predictUrl(model),
    metrics: `http://${localHost}:${model.metrics}/metrics`,
    grpc: `${localHost}:${model.grpc}`,
  };
}

/** Waits until it is told to stop, or a service ends; then stops all. @throws UserError a service has ended. */
async function keepUp({ signal }: Interruption): Promise<void> {
  // Also one that has ended already; another version of a model may come into service meanwhile.
  // To look at all processes twice a second is too much; the file is this command's own meanwhile.
  const services = () => servicesOf(writtenState() ?? recordedState());
  let ended: [string, LocalService] | undefined;
  while (!signal.aborted && ended === undefined) {
    await sleep(500, undefined, { signal }).catch(() => undefined);
    ended = services().find(([, { identity }]) => !isRunning(identity));
  }
  await Promise.all(servicesOf(recordedState()).map(([, { identity }]) => stop(identity)));
  writeState({});
  if (ended === undefined || signal.aborted) return;
  const [name, { log }] = ended;
  throw new UserError(`${name} has ended by itself. ${logExcerpt(log)}`);
}

/** Ends the services at once, for a user who cannot wait. */
export function killServices(): void {
  for (const [, { identity }] of servicesOf(readState())) signalOwn(identity, "SIGKILL");
  killComing();
}
