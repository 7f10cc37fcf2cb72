import type { IncomingMessage } from "node:http";
import { gunzipSync } from "node:zlib";

import { type TestServer, serveHttp } from "../../unit/support/servers";

/** A value as Pulumi ESC gives it. */
type EnvironmentValue =
  string | number | { readonly secret: string } | { readonly [key: string]: EnvironmentValue };

/** A service of Pulumi, as far as a preview needs one that has environments, and a stack that was made. */
export interface Service extends TestServer {
  /** What it was asked to open. */
  readonly opened: unknown[];
}

/**
 * Starts one.
 *
 * @param configuration what its one environment gives a stack.
 */
export async function serveEnvironments(
  configuration: Readonly<Record<string, EnvironmentValue>>,
): Promise<Service> {
  const opened: unknown[] = [];
  const properties = { pulumiConfig: escValue(configuration) };
  const stack = { orgName: "ann", projectName: "mlplatform", stackName: "trial", tags: {}, version: 0 };
  const run = { updateID: "1", version: 1, token: "token", requiredPolicies: [] };
  const same = (name: string) => (body: Record<string, unknown>) => ({ [name]: Object.values(body)[0] });
  /** Answers, by the end of an address. */
  const answers: Record<string, (body: Record<string, unknown>) => unknown> = {
    "GET /user": () => ({ githubLogin: "ann", organizations: [{ githubLogin: "ann" }] }),
    "GET /default": () => ({ GitHubLogin: "ann" }),
    "GET /capabilities": () => ({ capabilities: [] }),
    "GET /trial": () => stack,
    "POST /mlplatform": () => ({}),
    "POST /open": (body) => {
      opened.push(body);
      return { id: "1" };
    },
    "GET /1": () => ({ properties }),
    "POST /encrypt": same("ciphertext"),
    "POST /decrypt": same("plaintext"),
    "GET /export": () => ({ version: 3, deployment: {} }),
    "POST /preview": () => run,
    "POST /batch": () => ({}),
    "POST /complete": () => ({}),
    "POST /1": () => run,
  };
  const server = await serveHttp((request, response) => {
    void bodyOf(request).then((body) => {
      const path = (request.url ?? "").replace(/\?.*/, "");
      const answer = answers[`${request.method ?? ""} ${path.slice(path.lastIndexOf("/"))}`];
      response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer?.(body) ?? { code: 404, message: "Not found" }));
    });
  });
  return { ...server, opened };
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const bytes = Buffer.concat(parts);
  const text = request.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes;
  return text.length === 0 ? {} : (JSON.parse(text.toString()) as Record<string, unknown>);
}

function escValue(value: EnvironmentValue): object {
  if (typeof value !== "object") return { value, trace: {} };
  if (typeof value.secret === "string") return { value: value.secret, secret: true, trace: {} };
  const items = Object.entries(value as Record<string, EnvironmentValue>).map(([key, item]) => [
    key,
    escValue(item),
  ]);
  return { value: Object.fromEntries(items) as object, trace: {} };
}
