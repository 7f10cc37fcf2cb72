import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import type { Manifest } from "../config/manifests";
import { modelAnswers, predictUrl } from "../cli/local/modelServer";
import { choosePort } from "../cli/ports";
import { stop } from "../cli/ownProcesses";
import { Service } from "../cli/process";
import { Environments } from "../cli/python";
import { type Contest, type Way, contest } from "./contestants";
import { type Load, load } from "./load";
import type { BenchResult } from "./main";
import { type Measured, report } from "./serving-report";

const connectionCounts = [1, 8] as const;
/** The two ways take turns, so that both meet the machine in the same states. */
const rounds = 3;
const warmUpSeconds = 0.5;
const startSeconds = 60;

/**
 * Predictions over REST, each model's file on two servers: a plain one and the platform's. For a model with a server of
 * its own the plain one is the original article's, a class around scikit-learn in `seldon-core-microservice`; for one on
 * a standard server it is MLServer without any setting of the platform's.
 *
 * @param seconds how long each measurement takes, of which each of three rounds has one.
 * @param say is told what is being done.
 * @throws UserError a model is not trained, or a server does not start.
 */
export async function serving(
  models: readonly Manifest[],
  seconds: number,
  say: (line: string) => void,
): Promise<BenchResult> {
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-bench-"));
  const environments = new Environments(new AbortController().signal);
  try {
    const measured: Measured[] = [];
    for (const manifest of models) {
      const one = await contest(manifest, environments, folder, say);
      measured.push(...(await compare(one, seconds, folder, say)));
    }
    return report(measured);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts both servers of a model, measures them in turns, and stops them. */
async function compare(
  one: Contest,
  seconds: number,
  folder: string,
  say: (line: string) => void,
): Promise<Measured[]> {
  const servers: Server[] = [];
  try {
    say(`${one.manifest.name}: starting two servers`);
    const taken = new Set<number>();
    for (const way of ["plain", "ours"] as const) servers.push(await start(one, way, folder, taken));
    const [plain, ours] = await Promise.all(servers.map(ready));
    if (plain === undefined || ours === undefined) throw new Error("two servers were started");
    const measured: Measured[] = [];
    for (const rows of one.batches)
      for (const connections of connectionCounts) {
        const loads: Record<Way, Load[]> = { plain: [], ours: [] };
        say(`${one.manifest.name}: ${rows} row(s), ${connections} connection(s)`);
        for (const url of [plain, ours]) await load({ ...one.asked(rows), url }, connections, warmUpSeconds);
        for (let round = 1; round <= rounds; round += 1) {
          loads.plain.push(await load({ ...one.asked(rows), url: plain }, connections, seconds));
          loads.ours.push(await load({ ...one.asked(rows), url: ours }, connections, seconds));
        }
        measured.push({
          ...{ manifest: one.manifest, rows, connections, loads },
          inProcess: one.callsPerSecond[rows],
        });
      }
    return measured;
  } finally {
    await Promise.all(servers.map(({ service }) => stop(service.identity)));
  }
}

interface Server {
  readonly service: Service;
  readonly address: Parameters<typeof predictUrl>[0];
}

async function start(
  { manifest, server }: Contest,
  way: Way,
  folder: string,
  taken: Set<number>,
): Promise<Server> {
  const { name, serving } = manifest;
  const told = {
    ...{ name, version: "1", log: path.join(folder, `${name}-${way}.log`) },
    behind: {
      rest: await choosePort(9000, taken),
      grpc: await choosePort(5000, taken),
      metrics: await choosePort(6000, taken),
    },
  };
  return {
    service: await Service.start(server(way, told)),
    address: { name, protocol: serving.protocol, rest: told.behind.rest },
  };
}

/** Waits until a server answers, and says where it makes predictions. */
async function ready({ service, address }: Server): Promise<string> {
  await service.ready(() => modelAnswers(address), startSeconds, new AbortController().signal);
  return predictUrl(address);
}
