import { type Server, type Socket, createServer } from "node:net";
import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";

import type { V1EndpointSlice } from "@kubernetes/client-node";

import { messageOf } from "../errors";
import { localHost } from "../ports";
import type { Cluster, Live } from "./cluster";
import type { ServicePort } from "./services";

/** Hears when an address falls silent, once with the reason, and when it answers again. */
export interface ForwardListener {
  silent(reason: string): void;
  answers(): void;
}

/** A pod behind a Service, and its port there. */
interface Backend {
  readonly pod: string;
  readonly port: number;
}

/** What is used of the WebSocket; its own types belong to a package that is not installed. */
interface Channel {
  onclose: () => void;
  onerror: () => void;
  close(): void;
}

/** For so long a connection waits for a pod that is ready, such as while one is restarted. */
const patienceMilliseconds = 15_000;
const againMilliseconds = 500;

/**
 * An address of this machine that leads to a Service in a cluster.
 *
 * `kubectl port-forward` keeps to one pod, and ends with it. Here every connection gets a pod that is ready at that
 * moment, so pods may come and go.
 */
export class Forward {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private isSilent = false;
  private closed = false;

  private constructor(
    private readonly cluster: Cluster,
    private readonly service: ServicePort,
    private readonly listener: ForwardListener,
  ) {
    this.server = createServer((socket) => {
      this.sockets.add(socket);
      // Whoever hangs up in the middle is not worth a word.
      socket.on("error", () => undefined);
      socket.once("close", () => this.sockets.delete(socket));
      void this.connect(socket);
    });
  }

  /** Listens on a port, which has to be free. Says at once if there is no pod to lead to. */
  static async open(cluster: Cluster, service: ServicePort, port: number, listener: ForwardListener) {
    const forward = new Forward(cluster, service, listener);
    await new Promise<void>((resolve, reject) => {
      forward.server.once("error", reject);
      forward.server.listen({ host: localHost, port }, resolve);
    });
    forward.backend().catch((error: unknown) => {
      forward.fallSilent(messageOf(error));
    });
    return forward;
  }

  /** Ends it, and every connection through it. */
  close(): void {
    this.closed = true;
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }

  private async connect(socket: Socket): Promise<void> {
    const deadline = Date.now() + patienceMilliseconds;
    while (!socket.destroyed) {
      try {
        await this.join(socket, await this.backend());
        return;
      } catch (error) {
        this.fallSilent(messageOf(error));
        if (Date.now() > deadline) socket.destroy();
        else await sleep(againMilliseconds);
      }
    }
  }

  /** Joins a connection to a port of a pod. @throws Error the pod cannot be reached. */
  private async join(socket: Socket, { pod, port }: Backend): Promise<void> {
    const { PortForward } = await import("@kubernetes/client-node");
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        // The first message of each direction is empty: it names the port alone.
        if (chunk.length > 0) {
          this.answerAgain();
          socket.write(chunk);
        }
        done();
      },
    });
    const complaints = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (chunk.length > 0) {
          this.fallSilent(`${pod}: ${chunk.toString().trim()}`);
          socket.destroy();
        }
        done();
      },
    });
    const { namespace } = this.service;
    const forwarding = new PortForward(this.cluster.kubeConfig);
    let channel: Channel;
    try {
      channel = (await forwarding.portForward(namespace, pod, [port], output, complaints, socket)) as Channel;
    } catch (error) {
      // What the WebSocket throws is an event, not an error.
      throw new Error(`${pod} cannot be reached: ${(error as Error).message}`);
    }
    channel.onclose = () => socket.end();
    channel.onerror = () => socket.destroy();
    socket.once("close", () => {
      channel.close();
    });
  }

  /** A pod that is ready now. @throws Error there is none. */
  private async backend(): Promise<Backend> {
    const { namespace, service, port } = this.service;
    const [named, slices] = await Promise.all([
      this.cluster.get<{ spec?: { ports?: { port: number; name?: string }[] } }>(
        `/api/v1/namespaces/${namespace}/services/${service}`,
      ),
      this.cluster.list<V1EndpointSlice>(
        `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices` +
          `?labelSelector=kubernetes.io/service-name=${service}`,
      ),
    ]);
    const portName = named?.spec?.ports?.find((one) => one.port === port)?.name ?? "";
    for (const slice of slices) {
      const found = readyIn(slice, portName);
      if (found !== undefined) return found;
    }
    const missing = named === undefined ? "does not exist" : "has no pod that is ready";
    throw new Error(`Service ${service} in ${namespace} ${missing}`);
  }

  private fallSilent(reason: string): void {
    if (this.isSilent || this.closed) return;
    this.isSilent = true;
    this.listener.silent(reason);
    void this.watch();
  }

  /** Nobody may be connecting, and it is good to hear that it would work. */
  private async watch(): Promise<void> {
    while (this.isSilent && !this.closed) {
      await sleep(againMilliseconds * 4, undefined, { ref: false });
      if (await this.backend().catch(() => undefined)) this.answerAgain();
    }
  }

  private answerAgain(): void {
    if (!this.isSilent || this.closed) return;
    this.isSilent = false;
    this.listener.answers();
  }
}

/** A Service's port may have another number in each pod, and a slice says which. */
function readyIn({ endpoints, ports }: Live<V1EndpointSlice>, portName: string): Backend | undefined {
  const port = ports?.find(({ name }) => (name ?? "") === portName)?.port;
  const ready = endpoints.find(
    ({ conditions, targetRef }) => conditions?.ready === true && targetRef?.kind === "Pod",
  );
  const pod = ready?.targetRef?.name;
  return port === undefined || pod === undefined ? undefined : { pod, port };
}
