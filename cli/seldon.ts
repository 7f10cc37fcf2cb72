import { connect } from "node:net";

import { UserError, requestFailure } from "./errors";

/** Rows for a model, with the names of their columns where the sender knows them. */
export interface Rows {
  readonly names?: readonly string[];
  readonly ndarray: readonly (readonly unknown[])[];
}

/** A custom metric that a model reports with an answer. */
export interface Metric {
  readonly type: "COUNTER" | "GAUGE" | "TIMER";
  readonly key: string;
  readonly value: number;
}

/** A model's answer, in the protocol of Seldon Core 1. */
export interface Answer {
  readonly data: {
    readonly names?: readonly string[];
    readonly ndarray: readonly (number | readonly number[])[];
  };
  readonly meta?: { readonly tags?: Readonly<Record<string, unknown>>; readonly metrics?: readonly Metric[] };
}

/** Sends a request to a model and returns status and body; throws if nothing that speaks HTTP answers. */
export type Send = (body: string) => Promise<{ status: number; body: string }>;

/** Sends to a URL. */
export function sendTo(url: string): Send {
  return async (body) => {
    const headers = { "content-type": "application/json" };
    try {
      const response = await fetch(url, {
        method: "POST",
        headers,
        body,
        signal: AbortSignal.timeout(30_000),
      });
      return { status: response.status, body: await response.text() };
    } catch (error) {
      throw await unanswered(url, error);
    }
  };
}

/**
 * Asks a model for predictions.
 *
 * @throws UserError it refuses the rows, with its reason, or does not speak Seldon's protocol.
 */
export async function predict(send: Send, rows: Rows): Promise<Answer> {
  const { status, body } = await send(JSON.stringify({ data: rows }));
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    answer = undefined;
  }
  if (status !== 200) {
    const info = (answer as { status?: { info?: string } } | undefined)?.status?.info;
    throw new UserError(`the model refused the request (HTTP ${status}): ${info ?? body.slice(0, 300)}`);
  }
  if (!isAnswer(answer)) {
    throw new UserError(`what answered is no model that speaks Seldon's protocol: ${body.slice(0, 200)}`);
  }
  return answer;
}

function isAnswer(answer: unknown): answer is Answer {
  return Array.isArray((answer as Partial<Answer> | undefined)?.data?.ndarray);
}

/** The first output of each row; NaN where it is no number. */
export function firstOutputs(answer: Answer): number[] {
  return answer.data.ndarray.map((value: unknown) => {
    const first: unknown = Array.isArray(value) ? value[0] : value;
    return typeof first === "number" ? first : NaN;
  });
}

/** Explains why a request got no HTTP answer. */
async function unanswered(url: string, error: unknown): Promise<UserError> {
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
