import { frontendAnswers, frontendUrl } from "../local/frontend";
import { modelAnswers, predictUrl } from "../local/modelServer";
import { type LocalService, localDir, recordedState } from "../local/state";
import { runningUp } from "../local/turns";
import { MlflowClient } from "../mlflow";
import { isRunning } from "../ownProcesses";
import { shown } from "../paths";
import { localHost } from "../ports";
import { table } from "../table";

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
  if (mlflow !== undefined) {
    const address = `http://${localHost}:${mlflow.port}`;
    const state = await answering(mlflow, () => new MlflowClient(address).healthy());
    services.push({ service: "MLflow", state, address, detail: "", pid: mlflow.identity.pid });
  }
  if (front !== undefined) {
    // Whether it leads to the models, they tell.
    const state = await answering(front, () => Promise.resolve(true));
    const addresses = Object.values(models).map(({ rest }) => `${localHost}:${rest}`);
    const detail = "leads to the models";
    services.push({
      service: "front",
      state,
      address: addresses.join(", "),
      detail,
      pid: front.identity.pid,
    });
  }
  for (const model of Object.values(models)) {
    const address = predictUrl(model);
    const detail = `version ${model.version}; gRPC ${model.grpc}, metrics ${model.metrics}`;
    const state = await answering(model, () => modelAnswers(model));
    services.push({ service: model.name, state, address, detail, pid: model.identity.pid });
  }
  if (frontend !== undefined) {
    const state = await answering(frontend, () => frontendAnswers(frontend));
    const { pid } = frontend.identity;
    services.push({
      service: "front end",
      state,
      address: frontendUrl(frontend),
      detail: "to ask models",
      pid,
    });
  }
  const healthy = services.every(({ state }) => state === "answers");
  return { services, healthy, keeper: runningUp()?.pid };
}

/** The same for people. */
export function localReport({ services, keeper }: LocalStatus): string {
  if (services.length === 0)
    return `Nothing is running${keeper === undefined ? "" : " yet; `npm run up` is at work"}. Start it: npm run up.\n`;
  const head = ["service", "state", "address", "process", "detail"];
  const rows = services.map((s) => [s.service, s.state, s.address, String(s.pid), s.detail]);
  const kept = keeper === undefined ? "in the background" : `kept up by \`npm run up\` (process ${keeper})`;
  return `Target: local, ${kept}\n${table(head, rows)}\nLogs: ${shown(localDir("logs"))}\n`;
}

async function answering(
  { identity }: LocalService,
  ask: () => Promise<boolean>,
): Promise<LocalServiceStatus["state"]> {
  // Its port may have gone to another program.
  if (!isRunning(identity)) return "ended";
  return (await ask().catch(() => false)) ? "answers" : "silent";
}
