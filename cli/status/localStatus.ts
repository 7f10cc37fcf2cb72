import { stripVTControlCharacters } from "node:util";

import { frontendAnswers, frontendUrl } from "../local/frontend";
import { modelAnswers, predictUrl } from "../local/modelServer";
import { type LocalService, localDir, recordedState } from "../local/state";
import { runningUp } from "../local/turns";
import { MlflowClient } from "../mlflow";
import { isRunning } from "../ownProcesses";
import { shown } from "../paths";
import { localHost } from "../ports";
import { lastLines } from "../process";
import { table } from "../table";

/** Of a log's line. */
const mostCharacters = 120;

/** One service of this machine, as `status` shows it. */
export interface LocalServiceStatus {
  readonly service: string;
  /** `ended`: by itself, since nobody has stopped it. */
  readonly state: "answers" | "silent" | "ended";
  readonly address: string;
  readonly detail: string;
  readonly pid: number;
}

/** What runs of the local target. */
export interface LocalStatus {
  readonly services: readonly LocalServiceStatus[];
  /** All that was started answers. */
  readonly healthy: boolean;
  /** Process of the `npm run up` that keeps it up, if there is one. */
  readonly keeper: number | undefined;
}

/** Asks what runs of the local target whether it answers. */
export async function localStatus(): Promise<LocalStatus> {
  const { mlflow, front, frontend, models = {} } = recordedState();
  const services: LocalServiceStatus[] = [];
  const look = async (
    service: string,
    one: LocalService,
    { address, detail }: Pick<LocalServiceStatus, "address" | "detail">,
    ask: () => Promise<boolean>,
  ) => {
    const state = await answering(one, ask);
    services.push({ service, state, address, detail: whyNot(one, state) ?? detail, pid: one.identity.pid });
  };
  if (mlflow !== undefined) {
    const address = `http://${localHost}:${mlflow.port}`;
    await look("MLflow", mlflow, { address, detail: "" }, () => new MlflowClient(address).healthy());
  }
  if (front !== undefined) {
    // Whether it leads to the models, they tell.
    const address = Object.values(models)
      .map(({ rest }) => `${localHost}:${rest}`)
      .join(", ");
    await look("front", front, { address, detail: "leads to the models" }, () => Promise.resolve(true));
  }
  for (const model of Object.values(models)) {
    const detail = `version ${model.version}; gRPC ${model.grpc}, metrics ${model.metrics}`;
    await look(model.name, model, { address: predictUrl(model), detail }, () => modelAnswers(model));
  }
  if (frontend !== undefined) {
    const where = { address: frontendUrl(frontend), detail: "to ask models" };
    await look("front end", frontend, where, () => frontendAnswers(frontend));
  }
  const healthy = services.every(({ state }) => state === "answers");
  return { services, healthy, keeper: runningUp()?.pid };
}

/** Why a service does not answer; undefined if it does. */
function whyNot({ log }: LocalService, state: LocalServiceStatus["state"]): string | undefined {
  if (state === "answers") return undefined;
  if (state === "silent") return "runs, and does not answer";
  const [said = "wrote nothing"] = lastLines(log, 1);
  return `its log ends with: ${stripVTControlCharacters(said).trim().slice(0, mostCharacters)}`;
}

/** The same for people. */
export function localReport({ services, keeper }: LocalStatus): string {
  if (services.length === 0)
    return `Nothing is running${keeper === undefined ? "" : " yet; `npm run up` is at work"}. Start it: npm run up.\n`;
  const head = ["service", "state", "address", "process", "detail"];
  const rows = services.map((s) => [s.service, s.state, s.address, String(s.pid), s.detail]);
  const unwell = services.filter(({ state }) => state !== "answers");
  const told = unwell.map(({ service, state }) =>
    state === "ended" ? `${service} has ended by itself` : `${service} does not answer`,
  );
  const mend =
    unwell.length === 0
      ? ""
      : `Not well: ${told.join(", ")}. It is started anew by: npm run up -- --target local\n`;
  const kept = keeper === undefined ? "in the background" : `kept up by \`npm run up\` (process ${keeper})`;
  return `Target: local, ${kept}\n${table(head, rows)}\n${mend}Logs: ${shown(localDir("logs"))}\n`;
}

async function answering(
  { identity }: LocalService,
  ask: () => Promise<boolean>,
): Promise<LocalServiceStatus["state"]> {
  // Its port may have gone to another program.
  if (!isRunning(identity)) return "ended";
  return (await ask().catch(() => false)) ? "answers" : "silent";
}
