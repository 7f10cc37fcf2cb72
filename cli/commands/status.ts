import { modelAnswers, predictUrl } from "../local/services";
import { localDir, readState, runningUp } from "../local/state";
import { MlflowClient } from "../mlflow";
import { shown } from "../paths";
import { localHost } from "../ports";
import { table } from "../table";

/** One service, as `status` shows it. */
interface ServiceStatus {
  readonly service: string;
  readonly state: "answers" | "silent";
  readonly address: string;
  readonly detail: string;
  readonly pid: number;
}

/**
 * `npm run status`: what runs of the local target and whether it answers.
 *
 * @returns the exit code: 0 all that runs answers, also if nothing runs; 1 something does not answer.
 */
export async function status(options: { json?: boolean }): Promise<number> {
  const { mlflow, model } = readState();
  const services: ServiceStatus[] = [];
  if (mlflow !== undefined) {
    const address = `http://${localHost}:${mlflow.port}`;
    const state = await answering(() => new MlflowClient(address).healthy());
    services.push({ service: "MLflow", state, address, detail: "", pid: mlflow.identity.pid });
  }
  if (model !== undefined) {
    const address = predictUrl(model);
    const detail = `version ${model.version}; gRPC ${model.grpc}, metrics ${model.metrics}`;
    const state = await answering(() => modelAnswers(model.rest));
    services.push({ service: model.name, state, address, detail, pid: model.identity.pid });
  }
  const healthy = services.every(({ state }) => state === "answers");
  const keeper = runningUp();
  if (options.json) {
    process.stdout.write(
      `${JSON.stringify({ target: "local", healthy, services, up: keeper?.pid ?? null })}\n`,
    );
  } else if (services.length === 0) {
    process.stdout.write(
      `Nothing is running${keeper ? " yet; `npm run up` is at work" : ". Start it: npm run up"}.\n`,
    );
  } else {
    const head = ["service", "state", "address", "process", "detail"];
    const rows = services.map((s) => [s.service, s.state, s.address, String(s.pid), s.detail]);
    const kept = keeper ? `kept up by \`npm run up\` (process ${keeper.pid})` : "in the background";
    process.stdout.write(`Target: local, ${kept}\n${table(head, rows)}\nLogs: ${shown(localDir("logs"))}\n`);
  }
  return healthy ? 0 : 1;
}

async function answering(ask: () => Promise<boolean>): Promise<ServiceStatus["state"]> {
  return (await ask().catch(() => false)) ? "answers" : "silent";
}
