import { createRequire } from "node:module";
import { type Socket, connect } from "node:net";

import { expect } from "chai";

import { Forward } from "../../../cli/cluster/portForward";
import { open } from "../../../cli/commands/open";
import { postgres, storesOutside } from "../../../cli/open/stores";
import { choosePort } from "../../../cli/ports";
import type { Item } from "../../../cli/status/item";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";
import { outputOf } from "../support/output";
import { rejection } from "../support/rejection";
import { serveTcp } from "../support/servers";

interface WebSocket {
  send(data: Buffer): void;
  close(): void;
  on(event: "message", listener: (data: Buffer) => void): void;
}

/** The package comes with the Kubernetes client, and without types. */
const { WebSocketServer } = createRequire(require.resolve("@kubernetes/client-node"))("ws") as {
  WebSocketServer: new (options: { noServer: true }) => {
    handleUpgrade(request: object, socket: Socket, head: Buffer, done: (channel: WebSocket) => void): void;
  };
};

const slices = "/apis/discovery.k8s.io/v1/namespaces/ml-models/endpointslices";
const service = { namespace: "ml-models", service: "wine-default", port: 8000 };

/** An endpoint slice as Kubernetes keeps it for a Service whose port is another one in the pods. */
function slice(...pods: [name: string, ready: boolean][]) {
  return {
    ports: [
      { name: "grpc", port: 9500 },
      { name: "http", port: 9000 },
    ],
    endpoints: pods.map(([name, ready]) => ({ conditions: { ready }, targetRef: { kind: "Pod", name } })),
  };
}

/** A pod that sends back the first message that it gets, and hangs up; `broken` complains. */
function bePod(channel: WebSocket, pod: string, port: string): void {
  const [data, complaints] = [0, 1];
  for (const stream of [data, complaints]) channel.send(Buffer.from([stream, 0, 0]));
  if (pod === "broken") channel.send(Buffer.from(`\x01nothing listens on ${port}\n`));
  channel.on("message", (message) => {
    channel.send(message);
    channel.close();
  });
}

describe("npm run open", function () {
  this.timeout(60_000);
  let api: FakeApi;
  /** Pods and ports that connections were led to. */
  const forwarded: string[] = [];

  before(async () => {
    const sockets = new WebSocketServer({ noServer: true });
    api = await fakeApi({}, (request, socket, head) => {
      const [, pod = "", port = ""] = /pods\/(.+)\/portforward\?ports=(\d+)$/.exec(request.url ?? "") ?? [];
      forwarded.push(`${pod}:${port}`);
      sockets.handleUpgrade(request, socket, head, (channel) => {
        bePod(channel, pod, port);
      });
    });
  });
  after(() => api.close());
  beforeEach(() => {
    forwarded.length = 0;
    for (const address of Object.keys(api.answers)) Reflect.deleteProperty(api.answers, address);
    Object.assign(api.answers, {
      "/api/v1/namespaces/mlflow/services/mlflow": { spec: { ports: [{ name: "http", port: 5000 }] } },
      "/api/v1/namespaces/minio-system/services/minio": {
        spec: {
          ports: [
            { name: "minio", port: 9000 },
            { name: "console", port: 9090 },
          ],
        },
      },
      "/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments": {
        items: [
          {
            metadata: { name: "wine", namespace: "ml-models" },
            spec: {
              predictors: ["default", "canary"].map((name) => ({
                name: `${name}-ab12`,
                annotations: { version: "ab12" },
                graph: { name: "model" },
                componentSpecs: [],
              })),
            },
          },
        ],
      },
      "/api/v1/namespaces/ml-models/services/wine-default": {
        spec: { ports: [{ name: "http", port: 8000 }] },
      },
      [slices]: { items: [slice(["wine-old", false], ["wine-new", true])] },
    });
  });

  const run = (names: string[], options = {}) =>
    outputOf(() => {
      setTimeout(() => process.emit("SIGTERM"), 700);
      return open(names, { context: "test", ...options });
    });

  it("opens all that there is, and tells how to log in without a password", async () => {
    const { out } = await run([], { json: true });
    const lines = out.trim().split("\n");
    const opened = lines.map((line) => JSON.parse(line) as { event: string; addresses: { url: string }[] });
    const told = opened.find(({ event }) => event === "open");
    // Ports may be in use where the tests run.
    const ports = told?.addresses.map(({ url }) => Number(new URL(url).port)) ?? [];
    expect(
      JSON.parse(JSON.stringify(told?.addresses).replaceAll(/(127\.0\.0\.1):\d+/g, "$1:PORT")),
    ).to.deep.equal([
      {
        ...{ name: "mlflow", title: "MLflow", url: "http://127.0.0.1:PORT" },
        ...{ namespace: "mlflow", service: "mlflow", port: 5000 },
        // The store's own address, which MLflow would hand out, is of the cluster.
        client:
          "for Python: export MLFLOW_TRACKING_URI=http://127.0.0.1:PORT " +
          "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD=false MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD=false",
      },
      {
        ...{ name: "minio", title: "MinIO console", url: "http://127.0.0.1:PORT" },
        ...{ namespace: "minio-system", service: "minio", port: 9090 },
        login:
          "user root; password: kubectl --context test -n minio-system get secret minio-root " +
          "-o go-template='{{.data.password | base64decode}}'",
      },
      {
        ...{ name: "wine-default", title: "model, predictor default" },
        url: "http://127.0.0.1:PORT/api/v1.0/predictions",
        ...service,
      },
      {
        ...{ name: "wine-canary", title: "model, predictor canary" },
        url: "http://127.0.0.1:PORT/api/v1.0/predictions",
        ...{ ...service, service: "wine-canary" },
      },
    ]);
    expect(new Set(ports).size).to.equal(4);
  });

  it("leads to the database and the store by name, with lines that have no password in them", async () => {
    api.answers["/api/v1/namespaces/postgres/services/postgresql"] = { spec: { ports: [{ port: 5432 }] } };
    const { out } = await run(["postgres", "s3"]);
    const [postgresPort, s3Port] = ["postgresql", "http"].map(
      (scheme) => new RegExp(`  ${scheme}://127.0.0.1:(\\d+)`).exec(out)?.[1] ?? "none",
    );
    const secret = (namespace: string, name: string) =>
      `$(kubectl --context test -n ${namespace} get secret ${name} -o jsonpath='{.data.password}' | base64 -d)`;
    const lines = [
      `PGPASSWORD="${secret("postgres", "mlflow-db")}" psql -h 127.0.0.1 -p ${postgresPort} -U mlflowuser mlflowdb`,
      `export MC_HOST_mlplatform="http://root:${secret("minio-system", "minio-root")}@127.0.0.1:${s3Port}"`,
      "mc ls mlplatform",
      `export AWS_ACCESS_KEY_ID=root AWS_SECRET_ACCESS_KEY="${secret("minio-system", "minio-root")}"`,
      `aws --endpoint-url http://127.0.0.1:${s3Port} --region us-east-1 s3 ls`,
    ];
    expect(out.split("\n").filter((line) => /^[a-zP]/.test(line) && !line.startsWith("Pods"))).to.deep.equal(
      lines,
    );
    const events = (await run(["s3"], { json: true })).out.trim().split("\n");
    const [told] = events.map((line) => JSON.parse(line) as { addresses: { lines: string[] }[] });
    expect(told?.addresses.map((address) => address.lines.length)).to.deep.equal([5]);
  });

  it("tells where those are that lie outside of the cluster", () => {
    const item = (part: Item["part"], name: string, detail: string): Item => ({
      ...{ part, name, health: "well", state: "elsewhere", detail },
    });
    const elsewhere = [
      item("database", "mlflow", "at db.example.com:5432"),
      item("object store", "AWS", "at https://s3.example.com"),
    ];
    expect(storesOutside(["postgres", "s3", "wine"], elsewhere)).to.deep.equal([
      { name: "postgres", text: "database mlflow at db.example.com:5432." },
      { name: "s3", text: "object store AWS at https://s3.example.com." },
    ]);
    expect(storesOutside(["postgres"], elsewhere.slice(1))).to.deep.equal([]);
  });

  it("puts a context's name in quotes where a shell would take it apart", () => {
    const [line = ""] = postgres("it's mine").lines?.(5432) ?? [];
    expect(line).to.contain("--context 'it'\\''s mine' -n");
  });

  it("refuses a port that is in use", async () => {
    const taken = await serveTcp(() => undefined);
    try {
      const error = await rejection(run(["mlflow"], { port: taken.port }));
      expect(error.message).to.equal(
        `--port: port ${taken.port} is in use on 127.0.0.1. Name another, or none.`,
      );
    } finally {
      await taken.close();
    }
  });

  it("says what there is where there is no such thing, and that a port is for one", async () => {
    const message = async (...names: string[]) => (await rejection(run(names, { port: 1 }))).message;
    expect(await message("beer")).to.equal(
      "there is no beer to open in the cluster of context test. There is: mlflow, minio, wine-default, wine-canary, s3.",
    );
    expect(await message("wine")).to.equal(
      "--port is for one thing, and these are 2: wine-default, wine-canary. " +
        "Name one: npm run open -- wine-default --port 1",
    );
    for (const address of Object.keys(api.answers)) Reflect.deleteProperty(api.answers, address);
    expect(await message()).to.contain("there is nothing to open: neither MLflow");
  });

  it("leads each connection to a pod that is ready, says once that there is none, and goes on", async () => {
    const said: string[] = [];
    const port = await choosePort(0, new Set());
    const forward = await Forward.open(api.cluster, service, port, {
      silent: (reason) => said.push(reason),
      answers: () => said.push("answers"),
    });
    try {
      expect(await ask(port, "hello")).to.equal("hello");
      expect([forwarded, said]).to.deep.equal([["wine-new:9000"], []]);

      api.answers[slices] = { items: [slice(["wine-new", false])] };
      const waiting = [ask(port, "one"), ask(port, "two")];
      setTimeout(() => {
        api.answers[slices] = { items: [slice(["wine-newer", true])] };
      }, 800);
      expect(await Promise.all(waiting)).to.deep.equal(["one", "two"]);
      expect(forwarded.slice(1)).to.deep.equal(["wine-newer:9000", "wine-newer:9000"]);
      expect(said).to.deep.equal(["Service wine-default in ml-models has no pod that is ready", "answers"]);
    } finally {
      forward.close();
    }
  });

  it("says what a pod has to say against it", async () => {
    const said: string[] = [];
    const port = await choosePort(0, new Set());
    const forward = await Forward.open(api.cluster, service, port, {
      silent: (reason) => said.push(reason),
      answers: () => said.push("answers"),
    });
    api.answers[slices] = { items: [slice(["broken", true])] };
    try {
      expect(await ask(port, "hello")).to.equal("");
      expect(said).to.deep.equal(["broken: nothing listens on 9000"]);
    } finally {
      forward.close();
    }
  });
});

/** What comes back from a port until the connection ends. */
function ask(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (data) => {
      answer += data.toString();
    });
    socket.on("error", () => undefined);
    socket.once("close", () => {
      resolve(answer);
    });
  });
}
