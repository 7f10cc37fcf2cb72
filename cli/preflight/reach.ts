import { causeOf, messageOf } from "../errors";

/** Well below what all checks have, so that a server that is silent is told by its name. */
const answerMilliseconds = 3_000;

/**
 * Asks a server whether it is there.
 *
 * @param accepts the statuses that will do.
 * @returns why it will not do; undefined if it will.
 */
export async function unreached(
  url: string,
  accepts: (status: number) => boolean,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(answerMilliseconds)]);
    const { status } = await fetch(url, { method: "HEAD", signal: limit });
    return accepts(status) ? undefined : `${url} answers ${status}`;
  } catch (error) {
    signal.throwIfAborted();
    return `${url} does not answer: ${messageOf(causeOf(error))}`;
  }
}

/** The address at which a registry of images or charts says that it is one. It may ask who is there first. */
export function registryUrl(host: string): string {
  const hub = host === "docker.io" ? "registry-1.docker.io" : host;
  // Container runtimes, and Helm, speak plain HTTP to this machine alone.
  const scheme = /^(localhost|127\.\d+\.\d+\.\d+)(:|$)/.test(host) ? "http" : "https";
  return `${scheme}://${hub}/v2/`;
}

/** Whether a status is a registry's. */
export function isRegistry(status: number): boolean {
  return status < 400 || status === 401 || status === 403;
}
