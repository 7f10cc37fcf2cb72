import { Pool } from "undici";

import { messageOf } from "../cli/errors";

/** A request, and the predictions that it must be answered with. */
export interface Question {
  readonly body: string;
  readonly expected: readonly number[];
}

/** A server, and what it is asked. */
export interface Asked {
  readonly url: string;
  /** Asked in turn, over and over. */
  readonly questions: readonly Question[];
  /** The predictions in the JSON of an answer. */
  readonly predictionsIn: (answer: unknown) => readonly unknown[];
  /** How far a prediction may lie from the expected one, relative to it. */
  readonly tolerance: number;
}

/** What a load measured, of the requests that were answered right. */
export interface Load {
  readonly requestsPerSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  /** Milliseconds. */
  readonly p99: number;
  /** The largest relative difference of a prediction from the expected one. */
  readonly difference: number;
  /** Requests that failed, or were answered wrong. */
  readonly failures: number;
  /** What happened to the first of these. */
  readonly failure?: string;
}

/**
 * Sends requests again and again, each as soon as the answer to the last is there, and looks at every answer.
 *
 * Connections are kept as long as the server keeps them. seldon-core's own server closes its connection after each
 * answer; the client then opens another, where autocannon 9 counts lost connections or nothing at all.
 */
export async function load(asked: Asked, connections: number, seconds: number): Promise<Load> {
  const { origin, pathname } = new URL(asked.url);
  // Node's own client is slower than the fastest of the servers.
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const milliseconds: number[] = [];
  const failed: string[] = [];
  let [count, difference] = [0, 0];
  const began = performance.now();
  const end = began + seconds * 1000;
  const client = async () => {
    while (performance.now() < end) {
      const question = asked.questions[count++ % asked.questions.length];
      if (question === undefined) throw new Error("there is nothing to ask");
      const sent = performance.now();
      try {
        const answer = await post(pool, pathname, question.body);
        const took = performance.now() - sent;
        difference = Math.max(difference, differenceOf(answer, question, asked));
        milliseconds.push(took);
      } catch (error) {
        failed.push(messageOf(error));
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, client));
  } finally {
    await pool.destroy();
  }
  const took = (performance.now() - began) / 1000;
  milliseconds.sort((a, b) => a - b);
  const percentile = (share: number) => milliseconds[Math.floor((milliseconds.length - 1) * share)] ?? NaN;
  return {
    ...{ requestsPerSecond: milliseconds.length / took, p50: percentile(0.5), p99: percentile(0.99) },
    ...{ difference, failures: failed.length },
    ...(failed[0] === undefined ? {} : { failure: failed[0] }),
  };
}

/** The largest relative difference of an answer's predictions from the expected ones. @throws Error it is wrong. */
function differenceOf(answer: string, { expected }: Question, { predictionsIn, tolerance }: Asked): number {
  const predictions = predictionsIn(JSON.parse(answer));
  const differences = expected.map((value, row) => Math.abs(Number(predictions[row]) - value) / value);
  const largest = Math.max(...differences);
  if (predictions.length !== expected.length || !(largest <= tolerance))
    throw new Error(`a wrong answer: ${predictions.length} predictions, which differ by ${largest}`);
  return largest;
}

async function post(pool: Pool, path: string, body: string): Promise<string> {
  const headers = { "content-type": "application/json" };
  const response = await pool.request({ method: "POST", path, headers, body });
  const answer = await response.body.text();
  if (response.statusCode === 200) return answer;
  throw new Error(`${path} answered ${response.statusCode}: ${answer.slice(0, 200)}`);
}
