import { existsSync } from "node:fs";
import { type OutgoingHttpHeaders, request as httpRequest } from "node:http";
import { type RequestOptions, request as httpsRequest } from "node:https";
import { homedir } from "node:os";
import * as path from "node:path";

import { messageOf } from "./errors";

/** The current context of the user's kubeconfig, and whether its cluster answers. */
export type ClusterState =
  | {
      readonly state: "answers";
      readonly context: string;
      readonly version: string;
      readonly cluster: Cluster;
    }
  | { readonly state: "silent"; readonly context: string; readonly reason: string }
  | { readonly state: "none"; readonly reason: string };

const answerMilliseconds = 3_000;

/** A Kubernetes API server, with the user's credentials. */
export class Cluster {
  constructor(
    private readonly server: string,
    private readonly options: RequestOptions,
  ) {}

  /**
   * Sends a request to the API server, or through it.
   *
   * @throws Error the API server does not answer, or refuses by itself: with its reason. What a service behind it
   *   answers is returned, whatever the status.
   */
  request(address: string, body?: string, timeout = 30_000): Promise<{ status: number; body: string }> {
    const url = new URL(this.server.replace(/\/$/, "") + address);
    const send = url.protocol === "http:" ? httpRequest : httpsRequest;
    const headers = {
      ...(this.options.headers as OutgoingHttpHeaders | undefined),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    const method = body === undefined ? "GET" : "POST";
    return new Promise((resolve, reject) => {
      const request = send(url, { ...this.options, headers, method, timeout }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.once("error", reject);
        response.once("end", () => {
          const status = response.statusCode ?? 0;
          const refused = status < 400 ? undefined : refusal(text);
          if (refused === undefined) resolve({ status, body: text });
          else reject(new Error(refused));
        });
      });
      request.once("timeout", () => request.destroy(new Error(`no answer within ${timeout / 1000} s`)));
      request.once("error", reject);
      request.end(body);
    });
  }
}

/** The reason in an API server's own error, a `Status` object; undefined if the error is someone else's. */
function refusal(body: string): string | undefined {
  try {
    const { kind, message } = JSON.parse(body) as { kind?: string; message?: string };
    return kind === "Status" ? message : undefined;
  } catch {
    return undefined;
  }
}

/** Whether there is anything that could name a cluster: a file, or the variables of a pod. */
function kubeconfigExists(): boolean {
  const files = process.env["KUBECONFIG"]?.split(path.delimiter) ?? [path.join(homedir(), ".kube", "config")];
  return process.env["KUBERNETES_SERVICE_HOST"] !== undefined || files.some((file) => existsSync(file));
}

/** Finds the cluster that kubectl would use. */
export async function findCluster(): Promise<ClusterState> {
  if (!kubeconfigExists()) return { state: "none", reason: "no kubeconfig names one" };
  // Loaded here because it takes more than a second, which only those who have a kubeconfig need to wait for.
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  try {
    config.loadFromDefault();
  } catch (error) {
    const [line = ""] = messageOf(error).split("\n", 1);
    return { state: "none", reason: `the kubeconfig cannot be read: ${line}` };
  }
  const server = config.getCurrentCluster()?.server;
  const context = config.getCurrentContext();
  // Without a kubeconfig the client makes up a cluster at localhost:8080, as kubectl does.
  if (context === "loaded-context") return { state: "none", reason: "no kubeconfig names one" };
  if (server === undefined)
    return { state: "none", reason: `the kubeconfig's current context, "${context}", names none` };
  try {
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const cluster = new Cluster(server, options);
    const { status, body } = await cluster.request("/version", undefined, answerMilliseconds);
    if (status !== 200) throw new Error(`it answered ${status} to a question for its version`);
    const { gitVersion } = JSON.parse(body) as { gitVersion: string };
    return { state: "answers", context, version: gitVersion, cluster };
  } catch (error) {
    return { state: "silent", context, reason: messageOf(error) };
  }
}
