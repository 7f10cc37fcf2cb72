import { mkdtempSync, writeFileSync } from "node:fs";
import { type IncomingMessage, createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { Cluster } from "../../../../cli/cluster/cluster";
import { readKubeconfig } from "../../../../cli/cluster/kubeconfig";

/** Says what to answer by what was asked. */
export type Answering = (asked: {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly body: string;
}) => unknown;

/** An API server that knows a few addresses. */
export interface FakeApi {
  readonly cluster: Cluster;
  /**
   * What each address answers: an object, a text, bytes, a status and one of them, or an {@link Answering}. Changes hold
   * at once.
   */
  readonly answers: Record<string, unknown>;
  /** What was asked for beside GET, with its body: `DELETE /api/v1/…`. */
  readonly changes: string[];
  close(): Promise<void>;
}

/**
 * Starts an API server, and has the kubeconfig lead to it, as context `test`, until it is closed. Stacks kept on this
 * machine are none.
 *
 * @param answers by address; one without a query holds for every query.
 * @param upgrade takes what is to become a WebSocket.
 */
export async function fakeApi(
  answers: Record<string, unknown>,
  upgrade?: (request: IncomingMessage, socket: Socket, head: Buffer) => void,
): Promise<FakeApi> {
  const changes: string[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then(async (body) => {
      const url = decodeURIComponent((request.url ?? "").replaceAll("+", " "));
      if (request.method !== "GET") changes.push(`${request.method ?? ""} ${url}${body && ` ${body}`}`);
      const held = answers[url] ?? answers[url.split("?", 1)[0] ?? ""];
      const query = new URL(request.url ?? "", "http://api").searchParams;
      const given: unknown =
        typeof held === "function"
          ? await (held as Answering)({ method: request.method ?? "", query, body })
          : held;
      const [status, answer] = answerTo(given, url);
      response
        .writeHead(status)
        .end(typeof answer === "string" || Buffer.isBuffer(answer) ? answer : JSON.stringify(answer));
    });
  });
  if (upgrade !== undefined) server.on("upgrade", upgrade);
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-api-"));
  const before = { KUBECONFIG: process.env["KUBECONFIG"], MLPLATFORM_HOME: process.env["MLPLATFORM_HOME"] };
  const kubeconfig = path.join(folder, "config");
  writeFileSync(
    kubeconfig,
    [
      "{apiVersion: v1, kind: Config, current-context: test,",
      `clusters: [{name: c, cluster: {server: "${address}", insecure-skip-tls-verify: true}}], users: [{name: u, user: {token: t}}],`,
      "contexts: [{name: test, context: {cluster: c, user: u}}]}",
    ].join(" "),
  );
  Object.assign(process.env, { KUBECONFIG: kubeconfig, MLPLATFORM_HOME: folder });
  const read = await readKubeconfig();
  if ("reason" in read) throw new Error(read.reason);
  const cluster = await Cluster.open(read, { name: "test", server: address });
  return {
    cluster,
    answers,
    changes,
    close: async () => {
      for (const [name, value] of Object.entries(before)) {
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answerTo(answer: unknown, url: string): [number, unknown] {
  if (answer === undefined && url === "/version") return [200, { gitVersion: "v1.34.4" }];
  if (answer === undefined) return [404, { kind: "Status", message: `${url} not found` }];
  return Array.isArray(answer) ? (answer as [number, unknown]) : [200, answer];
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
}
