import { type IncomingMessage, type OutgoingHttpHeaders, request as httpRequest } from "node:http";
import { Agent, type RequestOptions, request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";

import type { KubeConfig } from "@kubernetes/client-node";

import { UserError, messageOf } from "../errors";
import { systemFailure } from "../systemFailure";
import { type Context, type Kubeconfig, readKubeconfig } from "./kubeconfig";
import { proxyFor } from "./proxy";

/** An object as the API server sends it: dates are texts. */
export type Live<T> = T extends Date
  ? string
  : T extends readonly (infer E)[]
    ? readonly Live<E>[]
    : T extends object
      ? { readonly [K in keyof T]: Live<T[K]> }
      : T;

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

/** How a request is sent. */
export interface Request {
  /** @default GET, or POST with a body */
  readonly method?: "DELETE" | "GET" | "PATCH" | "POST";
  readonly body?: string;
  /** @default application/json */
  readonly contentType?: string;
  /** Milliseconds. @default 30000 */
  readonly timeout?: number;
}

const answerMilliseconds = 3_000;

/** The API server refused by itself, with its reason. */
export class Refused extends UserError {
  override readonly name = "Refused";

  constructor(
    message: string,
    /** HTTP status: 403 no right to, 404 not there, 409 conflict, … */
    readonly status: number,
  ) {
    super(message);
  }
}

/** A Kubernetes API server, with the user's credentials. */
export class Cluster {
  /** Milliseconds by which its clock is ahead of this machine's. */
  private ahead = 0;

  private constructor(
    /** The context that leads to it. */
    readonly context: string,
    /** Names the context as its current one; for connections that are no requests. */
    readonly kubeConfig: KubeConfig,
    private readonly server: string,
    private readonly options: RequestOptions,
  ) {}

  /** Prepares the credentials of a context; nothing is sent yet. */
  static async open({ raw }: Pick<Kubeconfig, "raw">, { name, server }: Pick<Context, "name" | "server">) {
    const { KubeConfig } = await import("@kubernetes/client-node");
    const own = new KubeConfig();
    own.loadFromOptions({
      clusters: raw.clusters.map((cluster) => {
        const proxyUrl = cluster.proxyUrl ?? proxyFor(cluster.server);
        return proxyUrl === undefined ? cluster : { ...cluster, proxyUrl };
      }),
      users: raw.users,
      contexts: raw.contexts,
      currentContext: name,
    });
    const options: RequestOptions = {};
    await own.applyToHTTPSOptions(options).catch((error: unknown) => {
      throw new UserError(pluginGone(own, error) ?? systemFailure(error) ?? messageOf(error));
    });
    // Handshakes take more time than the requests; a connection that waits for the next one keeps no process alive.
    if (options.agent instanceof Agent) Object.assign(options.agent, { keepAlive: true });
    return new Cluster(name, own, server, options);
  }

  /** The time by the cluster's clock: what its objects tell is compared with this. This machine's may be off. */
  now(): Date {
    return new Date(Date.now() + this.ahead);
  }

  /** The server's version, `v1.34.4`. @throws Error it does not answer. */
  async version(timeout = answerMilliseconds): Promise<string> {
    const { status, body } = await this.send("/version", { timeout });
    if (status !== 200) throw new Error(`it answered ${status} to a question for its version`);
    return (JSON.parse(body) as { gitVersion: string }).gitVersion;
  }

  /** The objects at an address such as `/api/v1/namespaces/mlflow/pods`. None where the kind is unknown. @throws Refused */
  async list<T>(address: string): Promise<Live<T>[]> {
    return ((await this.get<{ items?: T[] }>(address))?.items as Live<T>[] | undefined) ?? [];
  }

  /** The object at an address; undefined if there is none. @throws Refused */
  async get<T>(address: string): Promise<Live<T> | undefined> {
    try {
      return JSON.parse((await this.send(address)).body) as Live<T>;
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return undefined;
      throw error;
    }
  }

  private compareClocks(date: string | undefined): void {
    const ahead = Date.parse(date ?? "") - Date.now();
    if (!Number.isNaN(ahead)) this.ahead = Math.abs(ahead) < clockMilliseconds ? 0 : ahead;
  }

  /** Deletes the object at an address. @returns whether there was one. @throws Refused */
  async remove(address: string): Promise<boolean> {
    try {
      await this.send(address, { method: "DELETE" });
      return true;
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return false;
      throw error;
    }
  }

  /**
   * Sends a request to the API server, or through it.
   *
   * @throws Refused the API server refuses by itself. What a service behind it answers is returned, whatever the status.
   * @throws Error the API server does not answer.
   */
  async send(address: string, how: Request = {}): Promise<{ status: number; body: string }> {
    const { status, body } = await this.stream(address, how);
    return { status, body: await text(body) };
  }

  /**
   * The same, with the answer's bytes as they come, however many: the caller reads them to their end, or destroys them.
   * The timeout is that of each silence.
   */
  async stream(address: string, how: Request = {}): Promise<{ status: number; body: Readable }> {
    const response = await this.answerTo(address, how);
    this.compareClocks(response.headers.date);
    const status = response.statusCode ?? 0;
    if (status < 400) return { status, body: response };
    const said = await text(response);
    const refused = refusal(said);
    if (refused !== undefined) throw new Refused(refused, status);
    return { status, body: Readable.from([Buffer.from(said)]) };
  }

  private answerTo(address: string, how: Request): Promise<IncomingMessage> {
    const { body, contentType = "application/json", timeout = 30_000 } = how;
    const url = new URL(this.server.replace(/\/$/, "") + address);
    const request_ = url.protocol === "http:" ? httpRequest : httpsRequest;
    const headers = {
      ...(this.options.headers as OutgoingHttpHeaders | undefined),
      // Node itself says no length of what goes with a deletion: the other end would take it for the next request.
      ...(body === undefined
        ? {}
        : { "content-type": contentType, "content-length": Buffer.byteLength(body) }),
    };
    const method = how.method ?? (body === undefined ? "GET" : "POST");
    return new Promise((resolve, reject) => {
      const request = request_(url, { ...this.options, headers, method, timeout }, (response) => {
        // Whoever reads the body hears why it breaks off.
        request.once("timeout", () => response.destroy(late));
        resolve(response);
      });
      const late = new Error(`no answer within ${timeout / 1000} s`);
      request.on("error", reject);
      request.once("timeout", () => request.destroy(late));
      request.end(body);
    });
  }
}

/** What to do where the program is missing that gives the user's credentials; undefined if it is not that. */
function pluginGone(kubeConfig: KubeConfig, error: unknown): string | undefined {
  const { command, installHint } = (kubeConfig.getCurrentUser()?.exec ?? {}) as {
    command?: string;
    installHint?: string;
  };
  if (command === undefined || (error as NodeJS.ErrnoException).syscall !== `spawn ${command}`)
    return undefined;
  const hint = installHint === undefined ? "" : ` (${installHint.trim()})`;
  return `its credentials come from a program that is not here, ${command}: install it${hint}`;
}

/** What HTTP's `Date`, in whole seconds, and the way of an answer may make of two clocks that agree. */
const clockMilliseconds = 3_000;

/** The reason in an API server's own error, a `Status` object; undefined if the error is someone else's. */
function refusal(body: string): string | undefined {
  try {
    const { kind, message } = JSON.parse(body) as { kind?: string; message?: string };
    return kind === "Status" ? message : undefined;
  } catch {
    // A path that the API server does not know at all.
    return body.startsWith("404 page not found") ? body.trim() : undefined;
  }
}

/** Finds the cluster that kubectl would use. */
export async function findCluster(): Promise<ClusterState> {
  const kubeconfig = await readKubeconfig();
  if ("reason" in kubeconfig) return { state: "none", reason: kubeconfig.reason };
  const { current, raw } = kubeconfig;
  const named = raw.getCurrentContext();
  if (current === undefined)
    return { state: "none", reason: `the kubeconfig's current context, "${named}", names none` };
  return reach(kubeconfig, current);
}

/** Opens a context and asks whether its cluster answers. */
export async function reach(
  kubeconfig: Kubeconfig,
  context: Context,
): Promise<Exclude<ClusterState, { state: "none" }>> {
  try {
    const cluster = await Cluster.open(kubeconfig, context);
    return { state: "answers", context: context.name, version: await cluster.version(), cluster };
  } catch (error) {
    return { state: "silent", context: context.name, reason: messageOf(error) };
  }
}
