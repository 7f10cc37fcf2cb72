/**
 * How the providers, a process of their own, reach the cluster, which must outlive them: messages over the channel
 * that Node keeps to a forked process.
 */
import type { ChildProcess } from "node:child_process";

import { type Backend, ReleaseFailed } from "./backend";
import type { MemoryCluster } from "./cluster";
import type { Timeline } from "./timeline";

/** The calls of the backend, which are also the names of the messages. */
const methods = [
  ...(["create", "apply", "get", "ready", "remove", "release", "install", "upgrade", "uninstall"] as const),
  ...(["build", "image", "removeImage", "began", "ended"] as const),
] as const satisfies readonly (keyof Backend)[];

interface Question {
  readonly id: number;
  readonly method: (typeof methods)[number];
  readonly args: readonly unknown[];
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly name: string; readonly message: string };
}

/** The cluster as the providers' process sees it. */
export function remoteBackend(): Backend {
  const open = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  let last = 0;
  process.on("message", ({ id, result, error }: Answer) => {
    const question = open.get(id);
    open.delete(id);
    if (error === undefined) question?.resolve(result);
    else
      question?.reject(
        error.name === "ReleaseFailed" ? new ReleaseFailed(error.message) : new Error(error.message),
      );
  });
  const ask =
    (method: Question["method"]) =>
    (...args: readonly unknown[]) =>
      new Promise((resolve, reject) => {
        last += 1;
        open.set(last, { resolve, reject });
        process.send?.({ id: last, method, args } satisfies Question);
      });
  return Object.fromEntries(methods.map((method) => [method, ask(method)])) as unknown as Backend;
}

/** The cluster and the timeline that a providers' process works on at present. */
export interface World {
  cluster: MemoryCluster;
  timeline: Timeline;
}

/** Answers the providers' process for as long as it lives. */
export function serveBackend(child: ChildProcess, world: () => World): void {
  const gone = new AbortController();
  child.once("exit", () => {
    gone.abort(new Error("the provider has gone"));
  });
  child.on("message", (message: Question | object) => {
    if (!("method" in message)) return;
    const { id, method, args } = message;
    const { cluster, timeline } = world();
    const target = method === "began" || method === "ended" ? timeline : cluster;
    // Where a call takes a client, it comes behind the arguments of the interface.
    const call = Reflect.get(target, method) as (...all: unknown[]) => unknown;
    Promise.resolve()
      .then(() => call.apply(target, [...args, ...(takesClient(method) ? [gone.signal] : [])]))
      .then(
        (result) => ({ id, result }),
        (error: unknown) => {
          const { name, message: text } = error instanceof Error ? error : new Error(String(error));
          return { id, error: { name, message: text } };
        },
      )
      .then((answer: Answer) => {
        if (child.connected) child.send(answer);
      })
      .catch(() => undefined);
  });
}

function takesClient(method: Question["method"]): boolean {
  return method === "install" || method === "upgrade" || method === "uninstall";
}
