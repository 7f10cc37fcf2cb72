import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";

import type { V1Status } from "@kubernetes/client-node";

import type { Cluster } from "./cluster";

/** What is used of the WebSocket; its own types belong to a package that is not installed. */
interface Channel {
  onclose: () => void;
  close(): void;
}

/**
 * Runs a command in a container that runs, as `kubectl exec` does.
 *
 * @param timeout milliseconds after which the answer is not waited for any more.
 * @returns what it wrote to its standard output.
 * @throws Error it failed, does not exist in the container, or took too long; or the right is missing.
 */
export async function exec(
  { kubeConfig }: Pick<Cluster, "kubeConfig">,
  { namespace, pod, container }: { namespace: string; pod: string; container: string },
  command: string[],
  timeout = 5_000,
): Promise<string> {
  const { Exec } = await import("@kubernetes/client-node");
  const output = new PassThrough();
  const written = text(output);
  let late: NodeJS.Timeout | undefined;
  const status = await new Promise<V1Status>((resolve, reject) => {
    late = setTimeout(() => {
      reject(new Error(`no answer within ${timeout / 1000} s`));
    }, timeout);
    new Exec(kubeConfig)
      .exec(namespace, pod, container, command, output, null, null, false, resolve)
      .then((opened) => {
        const channel = opened as unknown as Channel;
        channel.onclose = () => {
          reject(new Error("the connection was closed"));
        };
      }, reject);
  }).finally(() => {
    clearTimeout(late);
    output.end();
  });
  if (status.status !== "Success") throw new Error(status.message ?? "it failed");
  return written;
}
