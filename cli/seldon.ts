import { UserError } from "./errors";
import { type Send, parsedReply } from "./exchange";
import type { ModelClient } from "./modelClient";

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

/** An output of a model: a number, or the name of a class. */
export type Output = number | string;

/** A model's answer, in the protocol of Seldon Core 1. */
export interface Answer {
  readonly data: {
    readonly names?: readonly string[];
    readonly ndarray: readonly (Output | readonly Output[])[];
  };
  readonly meta?: { readonly tags?: Readonly<Record<string, unknown>>; readonly metrics?: readonly Metric[] };
  /** What whoever has asked should know of it, a sentence of the client's. */
  readonly note?: string;
}

/** Where Seldon's executor makes predictions in this protocol. */
export const predictionsPath = "/api/v1.0/predictions";

/** A client of a model that speaks Seldon's own protocol. */
export function seldonClient(send: Send): ModelClient {
  return { ask: (rows) => predict(send, rows) };
}

/**
 * Asks a model for predictions.
 *
 * @throws UserError it refuses the rows, with its reason, or does not speak Seldon's protocol.
 */
export async function predict(send: Send, rows: Rows): Promise<Answer> {
  const { status, body } = await send(JSON.stringify({ data: rows }));
  const answer = parsedReply(body);
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

/** The outputs of each row. */
export function outputs({ data }: Answer): (readonly Output[])[] {
  return data.ndarray.map((row) => (Array.isArray(row) ? row : [row]) as Output[]);
}

/** The first output of each row; NaN where it is no number. */
export function firstOutputs(answer: Answer): number[] {
  return outputs(answer).map(([first]) => (typeof first === "number" ? first : NaN));
}
