import { connect } from "node:net";

import { UserError, requestFailure } from "./errors";
import { isNotForHttp, portsNotForHttp } from "./ports";

/** What a server has answered. */
export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** Sends a request to a model and returns status and body; throws if nothing that speaks HTTP answers. */
export type Send = (body: string) => Promise<Reply>;

/** Asks a path of a model's server: sends the body if there is one. Throws as {@link Send} does. */
export type Exchange = (path: string, body?: string) => Promise<Reply>;

/** What the JSON of a reply stands for; undefined if it is none. */
export function parsedReply(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Sends to a URL. */
export function sendTo(url: string): Send {
  return (body) => request(url, body);
}

/** Asks the server whose paths begin with this URL. */
export function exchangeWith(base: string): Exchange {
  return (path, body) => request(`${base}${path}`, body);
}

async function request(url: string, body: string | undefined): Promise<Reply> {
  const posted =
    body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body };
  try {
    const response = await fetch(url, { ...posted, signal: AbortSignal.timeout(30_000) });
    return { status: response.status, body: await response.text() };
  } catch (error) {
    throw await unanswered(url, error);
  }
}

/** Explains why a request got no HTTP answer. */
async function unanswered(url: string, error: unknown): Promise<UserError> {
  if (isNotForHttp(error))
    return new UserError(`${url} cannot be asked: its port is none for HTTP, by ${portsNotForHttp}.`);
  const { hostname, port, protocol } = new URL(url);
  if (protocol === "http:" && (await speaksHttp2(hostname, Number(port || 80)))) {
    return new UserError(
      `${hostname}:${port || 80} speaks gRPC (HTTP/2), not REST: it is the model's gRPC port. ` +
        `Send to its REST port; \`npm run status\` shows it.`,
    );
  }
  return new UserError(
    `no answer from ${url}: ${requestFailure(error)}. Is the model up? \`npm run up\` starts it.`,
  );
}

/** Whether a port answers HTTP/2's opening with a SETTINGS frame, as gRPC servers do (RFC 9113, section 3.4). */
function speaksHttp2(host: string, port: number): Promise<boolean> {
  const emptySettings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  return new Promise((resolve) => {
    const socket = connect({ host, port }, () => {
      socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
      socket.write(emptySettings);
    });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2_000, () => {
      end(false);
    });
    socket.once("error", () => {
      end(false);
    });
    socket.once("close", () => {
      end(false);
    });
    socket.once("data", (frame) => {
      end(frame[3] === 4);
    });
  });
}
