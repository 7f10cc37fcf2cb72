import { Agent, request } from "node:http";

/** What a load measured. */
export interface Load {
  readonly requestsPerSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  /** Milliseconds. */
  readonly p99: number;
}

/**
 * Sends the same request again and again, each as soon as the answer to the last is there.
 *
 * Connections are kept as long as the server keeps them. seldon-core's own server closes its connection after each
 * answer; Node's client then opens another, where autocannon 9 counts lost connections or nothing at all.
 *
 * @throws Error a request failed or was not answered with 200.
 */
export async function load(url: string, body: string, connections: number, seconds: number): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const milliseconds: number[] = [];
  const began = performance.now();
  const end = began + seconds * 1000;
  const client = async () => {
    while (performance.now() < end) {
      const sent = performance.now();
      await post(url, body, agent);
      milliseconds.push(performance.now() - sent);
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, client));
  } finally {
    agent.destroy();
  }
  const took = (performance.now() - began) / 1000;
  milliseconds.sort((a, b) => a - b);
  const percentile = (share: number) => milliseconds[Math.floor((milliseconds.length - 1) * share)] ?? NaN;
  return { requestsPerSecond: milliseconds.length / took, p50: percentile(0.5), p99: percentile(0.99) };
}

function post(url: string, body: string, agent: Agent): Promise<void> {
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", agent, headers }, (response) => {
      response.resume();
      response.once("error", reject);
      response.once("end", () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`${url} answered ${String(response.statusCode)}`));
      });
    });
    sent.once("error", reject);
    sent.end(body);
  });
}
