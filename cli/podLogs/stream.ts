import { get as httpGet } from "node:http";
import { type RequestOptions, get as httpsGet } from "node:https";
import { createInterface } from "node:readline";

import type { Cluster } from "../cluster/cluster";

/** Which part of a container's log is wanted. */
export interface LogQuery {
  readonly follow?: boolean;
  /** Of the run before the present one. */
  readonly previous?: boolean;
  readonly sinceSeconds?: number | undefined;
  /** RFC 3339. */
  readonly sinceTime?: string | undefined;
  readonly tailLines?: number | undefined;
}

/** A container of a pod. */
export interface ContainerName {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/**
 * Reads the log of a container, line by line; with `follow`, until the container ends.
 *
 * The client's own `Log` tells neither why the API server refuses nor when the log has ended.
 *
 * @throws Error the API server refuses, with its reason, or does not answer.
 */
export async function readLog(
  cluster: Cluster,
  { namespace, pod, container }: ContainerName,
  query: LogQuery,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)]],
  );
  const parameters = new URLSearchParams([["container", container], ...given]).toString();
  const server = cluster.kubeConfig.getCurrentCluster()?.server.replace(/\/$/, "") ?? "";
  const url = new URL(`${server}/api/v1/namespaces/${namespace}/pods/${pod}/log?${parameters}`);
  const options: RequestOptions = {};
  await cluster.kubeConfig.applyToHTTPSOptions(options);
  const get = url.protocol === "http:" ? httpGet : httpsGet;
  await new Promise<void>((resolve, reject) => {
    const request = get(url, { ...options, signal }, (response) => {
      const refused: string[] = [];
      const lines = createInterface({ input: response, crlfDelay: Infinity });
      lines.on("line", (line) => {
        if (response.statusCode === 200) onLine(line);
        else refused.push(line);
      });
      lines.once("close", () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(messageOfStatus(refused.join("\n"))));
      });
      // It passes on what befalls the response.
      lines.on("error", reject);
    });
    request.once("error", reject);
  });
}

function messageOfStatus(body: string): string {
  try {
    return (JSON.parse(body) as { message?: string }).message ?? body;
  } catch {
    return body;
  }
}
