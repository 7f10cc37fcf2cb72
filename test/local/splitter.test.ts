import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import { type AddressInfo, type Server, connect } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "chai";

import {
  envoyConfig,
  farewell,
  metricsPath,
  type Ports,
  predictorHeader,
  readyPath,
  type Share,
  type SplitArgs,
} from "../../components/serving/splitter/envoyConfig";
import { countsOf, slowest } from "../../cli/registry/promotion/canary/counts";
import { choosePort } from "../../cli/ports";
import { prepare } from "../preparation";

/** A model's server, which answers with its own name. */
class Backend {
  /** Requests that it has got. */
  asked = 0;
  /** What was asked last. */
  path = "";
  /** What it does with a request beside that. @default nothing */
  before: () => Promise<void> = () => Promise.resolve();
  /** The status of its answers by gRPC. */
  grpcStatus = "0";
  private readonly rest = http.createServer((request, response) => {
    this.path = request.url ?? "";
    void this.answer(request, (body) => {
      response.end(`${this.name} ${body}`);
    });
  });
  private readonly grpc = http2.createServer((request, response) => {
    void this.answer(request.stream, () => {
      response.writeHead(200, { "content-type": "application/grpc" });
      response.addTrailers({ "grpc-status": this.grpcStatus });
      response.end(this.name);
    });
  });

  constructor(readonly name: string) {}

  async share(percent: number, shadow = false): Promise<Share> {
    const ports = await Promise.all([this.rest, this.grpc].map((server) => listening(server)));
    const [rest = 0, grpc = 0] = ports;
    return { name: this.name, host: "127.0.0.1", rest, grpc, percent, shadow };
  }

  /** Does not listen for some milliseconds, and drops the connections that it has: as Seldon's executor, told to end. */
  async pause(milliseconds: number): Promise<void> {
    const { port } = this.rest.address() as AddressInfo;
    this.rest.close();
    this.rest.closeAllConnections();
    await sleep(milliseconds);
    await listening(this.rest, port);
  }

  stop(): void {
    this.rest.close();
    this.rest.closeAllConnections();
    this.grpc.close();
  }

  private async answer(body: NodeJS.ReadableStream, say: (body: string) => void): Promise<void> {
    this.asked += 1;
    const given = await text(body);
    await this.before();
    say(given);
  }
}

async function listening(server: Server, port = 0): Promise<number> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** What came of many requests. */
interface Answers {
  readonly total: number;
  readonly failed: readonly string[];
  readonly by: Readonly<Record<string, number>>;
}

describe("a splitter's Envoy", function () {
  this.timeout(60_000);
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-splitter-"));
  let program: string;
  const running: ChildProcess[] = [];
  const backends: Backend[] = [];
  const backend = (name: string) => {
    const made = new Backend(name);
    backends.push(made);
    return made;
  };

  before(async () => {
    const { python } = (await prepare(["envoy"]))("envoy");
    program = path.join(path.dirname(python), "envoy");
  });
  afterEach(() => {
    for (const one of running.splice(0)) one.kill("SIGKILL");
    for (const one of backends.splice(0)) one.stop();
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  /** An Envoy before these, the first of which answers for the others. */
  const start = (...shares: readonly Share[]) => startBefore({ shares, main: shares[0]?.name ?? "" });

  async function startBefore(args: Omit<SplitArgs, "ports">): Promise<Ports> {
    const taken = new Set<number>();
    const port = async () => {
      const found = await choosePort(0, taken);
      taken.add(found);
      return found;
    };
    const ports = { rest: await port(), grpc: await port(), health: await port(), admin: await port() };
    const file = path.join(folder, `${ports.rest}.json`);
    writeFileSync(file, JSON.stringify(envoyConfig({ ...args, ports })));
    const options = [
      ...["--log-level", "error", "--disable-hot-restart", "--concurrency", "2"],
      ...["--drain-time-s", "10", "--drain-strategy", "immediate"],
    ];
    running.push(spawn(program, ["--config-path", file, ...options], { stdio: "inherit" }));
    const isReady = () => ask(ports.health, readyPath).then(({ status }) => status === 200);
    while (!(await isReady().catch(() => false))) await sleep(50);
    return ports;
  }

  interface Asked {
    readonly status: number | undefined;
    readonly by: string;
    readonly body: string;
    /** Whether the connection ends with it. */
    readonly closes: boolean;
  }
  async function ask(port: number, at = "/predict", agent?: http.Agent, body = "[1]"): Promise<Asked> {
    const options = {
      port,
      path: at,
      method: "POST",
      agent,
      headers: { "content-type": "application/json" },
    };
    const request = http
      .request(at === "/predict" ? options : { port, path: at })
      .end(at === "/predict" ? body : "");
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    const by = String(response.headers[predictorHeader]);
    const closes = response.headers.connection === "close";
    return { status: response.statusCode, by, body: await text(response), closes };
  }

  /** Asks this often, by clients that keep their connections. */
  async function load(port: number, total: number): Promise<Answers> {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
    const by: Record<string, number> = {};
    const failed: string[] = [];
    const client = async () => {
      for (let asked = 0; asked < total / 8; asked += 1) {
        const answer = await ask(port, "/predict", agent).catch((error: unknown) => String(error));
        if (typeof answer === "string" || answer.body !== `${answer.by} [1]`)
          failed.push(JSON.stringify(answer));
        else by[answer.by] = (by[answer.by] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: 8 }, client));
    agent.destroy();
    return { total, failed, by };
  }

  /** Calls by gRPC on one connection. @returns who answered */
  async function call(port: number, times: number): Promise<string[]> {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    const by: string[] = [];
    for (let asked = 0; asked < times; asked += 1) {
      const stream = session.request({
        ":method": "POST",
        ":path": "/seldon.protos.Seldon/Predict",
        "content-type": "application/grpc",
        te: "trailers",
      });
      stream.end("x");
      by.push(await text(stream));
    }
    session.destroy();
    return by;
  }

  it("gives each its share of the requests, within 2 points, on kept connections", async () => {
    const [main, canary] = [backend("default"), backend("canary")];
    const ports = await start(await main.share(90), await canary.share(10));
    const { failed, by } = await load(ports.rest, 10_000);
    expect(failed).to.deep.equal([]);
    expect((by["canary"] ?? 0) / 100).to.be.within(8, 12);
    expect(by["canary"], "the header tells the truth").to.equal(canary.asked);
  });

  it("does the same with gRPC on one connection", async () => {
    const ports = await start(await backend("default").share(70), await backend("canary").share(30));
    const by = await call(ports.grpc, 1_000);
    expect([...new Set(by)].sort()).to.deep.equal(["canary", "default"]);
    expect(by.filter((name) => name === "canary").length / 10).to.be.within(25, 35);
  });

  it("gives a shadow copies, which neither answers nor delays nor fails a request", async () => {
    const [main, shadow] = [backend("default"), backend("copy")];
    // It never answers: more than its requests at once are dropped.
    shadow.before = () => new Promise(() => undefined);
    const ports = await start(await main.share(100), await shadow.share(100, true));
    const began = Date.now();
    const { failed, by } = await load(ports.rest, 1_000);
    expect(failed).to.deep.equal([]);
    expect(by).to.deep.equal({ default: 1_000 });
    expect(Date.now() - began, "milliseconds").to.be.lessThan(10_000);
    expect(shadow.asked, "copies at once").to.be.within(1, 64);
    shadow.stop();
    expect((await load(ports.rest, 400)).by, "without a shadow").to.deep.equal({ default: 400 });
  });

  it("gives a shadow that keeps up every request", async () => {
    const [main, shadow] = [backend("default"), backend("copy")];
    const ports = await start(await main.share(100), await shadow.share(100, true));
    for (let asked = 0; asked < 50; asked += 1) await ask(ports.rest);
    while (shadow.asked < 50) await sleep(10);
    expect([main.asked, shadow.asked]).to.deep.equal([50, 50]);
  });

  it("has the main one answer for one that cannot be reached, and loses nothing when that goes", async () => {
    const [main, canary] = [backend("default"), backend("canary")];
    const ports = await start(await main.share(50), await canary.share(50));
    const all = load(ports.rest, 8_000);
    while (canary.asked < 500) await sleep(5);
    canary.stop();
    const { failed, by } = await all;
    // Those that it was at when it was cut off are nobody's to repeat.
    expect(failed.length, failed.join()).to.be.at.most(8);
    expect(by["default"]).to.be.greaterThan(4_000);
    const { failed: later, by: since } = await load(ports.rest, 2_000);
    expect(later).to.deep.equal([]);
    expect(since).to.deep.equal({ default: 2_000 });
  });

  it("hands on what a model answers, an error too, and asks it once", async () => {
    let asked = 0;
    const failing = http.createServer((_, response) => {
      asked += 1;
      response.writeHead(500, { "content-type": "application/json" }).end('{"status": {"info": "no"}}');
    });
    const ports = await start({
      ...(await backend("default").share(100)),
      rest: await listening(failing),
    });
    const answer = await ask(ports.rest);
    expect([answer.status, answer.body, asked]).to.deep.equal([500, '{"status": {"info": "no"}}', 1]);
    failing.close();
  });

  it("asks a graph again whose executor drops what it has, and hears nothing for a while", async () => {
    const units = backend("graph");
    const ports = await startBefore({
      shares: [await units.share(100)],
      main: "default",
      graph: { paths: {} },
    });
    const all = load(ports.rest, 4_000);
    for (let round = 1; round <= 3; round += 1) {
      while (units.asked < round * 500) await sleep(5);
      await units.pause(300);
    }
    expect((await all).failed).to.deep.equal([]);
  });

  it("asks a graph without a name, which it is given by who has asked it when it was a model", async () => {
    const units = backend("graph");
    const graph = {
      paths: { "/v2/models/wine/infer": "/v2/models/infer", "/v2/models/wine": "/v2/models/one" },
    };
    const ports = await startBefore({ shares: [await units.share(100)], main: "default", graph });
    for (const [at, to] of [
      ...Object.entries(graph.paths),
      ["/v2/models/infer", "/v2/models/infer"],
      ["/v2/models/wines/infer", "/v2/models/wines/infer"],
    ] as const) {
      await ask(ports.rest, at);
      expect(units.path, at).to.equal(to);
    }
  });

  it("says goodbye to those who keep their connections, and loses none of their requests", async () => {
    const ports = await start(await backend("default").share(100));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    expect((await ask(ports.rest, "/predict", agent)).closes).to.equal(false);
    const said = spawnSync("bash", ["-c", farewell(ports.admin, 0)], { encoding: "utf8" }).stdout;
    expect(said).to.match(/^HTTP\/1\.1 200 /);
    expect((await ask(ports.rest, "/predict", agent)).closes, "connection: close").to.equal(true);
    const { failed } = await load(ports.rest, 200);
    expect(failed, "while it drains").to.deep.equal([]);
  });

  it("is well, and tells what it counts, while as many clients are connected as may be", async () => {
    const ports = await start(await backend("default").share(100));
    const sockets = Array.from({ length: 1_000 }, () => connect(ports.rest, "127.0.0.1"));
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    await sleep(300);
    expect((await ask(ports.health, readyPath)).status).to.equal(200);
    for (const socket of sockets) socket.destroy();
  });

  it("stays within its memory, however large what it passes on is", async () => {
    const slow = backend("default");
    slow.before = () => sleep(1_500);
    const ports = await start(await slow.share(100));
    const body = "x".repeat(1_000_000);
    const agent = new http.Agent({ keepAlive: false });
    const asked = Array.from({ length: 100 }, () =>
      ask(ports.rest, "/predict", agent, body).then(({ status }) => status),
    );
    await sleep(1_000);
    const status = readFileSync(`/proc/${running[0]?.pid ?? 0}/status`, "utf8");
    const megabytes = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
    expect(megabytes).to.be.within(10, 200);
    expect(new Set(await Promise.all(asked))).to.deep.equal(new Set([200]));
  });

  it("tells what it counts, and keeps its administration to itself", async () => {
    const [main, canary] = [backend("default"), backend("canary")];
    main.grpcStatus = "13";
    const ports = await start(await main.share(60), await canary.share(40));
    await load(ports.rest, 80);
    await call(ports.grpc, 50);
    const { body } = await ask(ports.health, metricsPath);
    const [ofMain, ofCanary] = [countsOf([body], "default"), countsOf([body], "canary")];
    expect([ofMain.requests, ofCanary.requests]).to.deep.equal([main.asked, canary.asked]);
    expect(ofMain.failed, "errors of gRPC").to.be.within(10, 50);
    expect(ofCanary.failed).to.equal(0);
    // Envoy puts times into its buckets every five seconds.
    let slow: number | undefined;
    while (slow === undefined) {
      await sleep(200);
      slow = slowest(countsOf([(await ask(ports.health, metricsPath)).body], "canary"));
    }
    expect(slow, "milliseconds").to.be.within(0.5, 1_000);
    for (const at of ["/config_dump", "/quitquitquit"])
      expect((await ask(ports.health, at)).status, at).to.equal(404);
  });
});
