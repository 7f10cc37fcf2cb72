import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import type { Manifest } from "../config/manifests";
import { modelAnswers, predictUrl } from "../cli/local/modelServer";
import { choosePort } from "../cli/ports";
import { stop } from "../cli/ownProcesses";
import { Service } from "../cli/process";
import { Environments } from "../cli/python";
import { type Contest, type Way, contest } from "./contestants";
import { type Asked, load } from "./load";
import type { BenchResult } from "./main";
import { type Loads, type Measured, report } from "./serving-report";

const connectionCounts = [1, 8] as const;
/** The two ways take turns, so that both meet the machine in the same states. */
const rounds = 3;
const warmUpSeconds = 0.5;
const startSeconds = 60;

/**
 * Predictions over REST, each model's file on two servers: a plain one and the platform's. For a model with a server of
 * its own the plain one is the original article's, a class around scikit-learn in `seldon-core-microservice`; for one on
 * a standard server it is MLServer without any setting of the platform's. The limit is, for the first, an application under
 * the same HTTP server that reads as much and answers the same bytes; for the others the library itself, in its process.
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
  const servers: Service[] = [];
  try {
    say(`${one.manifest.name}: starting two servers`);
    const taken = new Set<number>();
    const begin = async (way: Way) => {
      const server = await start(one, way, folder, taken);
      servers.push(server.service);
      return server;
    };
    const both = [await begin("plain"), await begin("ours")] as const;
    const [plain, ours] = [await ready(both[0]), await ready(both[1])];
    const most = one.limit === undefined ? undefined : await limitOf(one, one.limit, ours, folder, taken);
    if (most !== undefined) servers.push(most.service);
    const measured: Measured[] = [];
    for (const rows of one.batches)
      for (const connections of connectionCounts) {
        const loads: Loads = { plain: [], ours: [], limit: [] };
        say(`${one.manifest.name}: ${rows} row(s), ${connections} connection(s)`);
        for (const url of [plain, ours]) await load({ ...one.asked(rows), url }, connections, warmUpSeconds);
        if (most !== undefined) await load(most.asked, connections, warmUpSeconds);
        for (let round = 1; round <= rounds; round += 1) {
          loads.plain.push(await load({ ...one.asked(rows), url: plain }, connections, seconds));
          loads.ours.push(await load({ ...one.asked(rows), url: ours }, connections, seconds));
          if (most !== undefined) loads.limit.push(await load(most.asked, connections, seconds));
        }
        measured.push({
          ...{ manifest: one.manifest, rows, connections, loads },
          inProcess: one.callsPerSecond[rows],
        });
      }
    return measured;
  } finally {
    await Promise.all(servers.map((service) => stop(service.identity)));
  }
}

interface Server {
  readonly service: Service;
  readonly address: Parameters<typeof predictUrl>[0];
}

/** Starts a model's server. */
export async function start(
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
export async function ready({ service, address }: Server): Promise<string> {
  await service.ready(() => modelAnswers(address), startSeconds, new AbortController().signal);
  return predictUrl(address);
}

/** The limit of a model's server: one that answers each request with the bytes that ours has answered to the first. */
async function limitOf(
  one: Contest,
  command: NonNullable<Contest["limit"]>,
  ours: string,
  folder: string,
  taken: Set<number>,
): Promise<{ readonly service: Service; readonly asked: Asked }> {
  const { questions, ...how } = one.asked(1);
  const first = questions.slice(0, 1);
  const answer = await fetch(ours, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: first[0]?.body ?? "",
  });
  const file = path.join(folder, `${one.manifest.name}-limit.json`);
  writeFileSync(file, Buffer.from(await answer.arrayBuffer()));
  const port = await choosePort(9000, taken);
  const url = `http://127.0.0.1:${port}/`;
  const service = await Service.start(command(port, file));
  await service.ready(async () => (await fetch(url)).ok, startSeconds, new AbortController().signal);
  return { service, asked: { ...how, questions: first, url } };
}
