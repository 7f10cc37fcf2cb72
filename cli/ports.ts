import { createServer } from "node:net";

import { causeOf, messageOf } from "./errors";

/** The address that local services listen on: this machine alone can reach them. */
export const localHost = "127.0.0.1";

/** Whether a service could listen on a port of this machine now. */
export async function isFree(port: number): Promise<boolean> {
  return (await listen(port)) !== undefined;
}

/** Where the ports stand that fetch does not ask, nor do browsers: mail servers and the like would understand a part. */
export const portsNotForHttp = "https://fetch.spec.whatwg.org/#bad-port";

/** Whether `fetch` has failed because it does not ask such a port. */
export function isNotForHttp(error: unknown): boolean {
  return messageOf(causeOf(error)) === "bad port";
}

/**
 * Chooses a port for a service.
 *
 * @param preferred the port to take if it is free; else the system chooses one.
 * @param taken ports already promised to other services; the chosen one is added.
 */
export async function choosePort(preferred: number, taken: Set<number>): Promise<number> {
  let port = taken.has(preferred) ? undefined : await listen(preferred);
  while (port === undefined || taken.has(port)) port = await listen(0);
  taken.add(port);
  return port;
}

/** Listens on a port for a moment; 0 lets the system choose. The port, or undefined if it is in use. */
function listen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => {
      resolve(undefined);
    });
    server.listen({ host: localHost, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === "object" ? address?.port : undefined);
      });
    });
  });
}
