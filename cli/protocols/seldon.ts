import { UserError } from "../errors";
import { type Send, parsedReply } from "../exchange";
import type { Answer, ModelClient, Rows } from "./answer";
import type { ProtocolClient } from "./protocol";

const predictions = "/api/v1.0/predictions";

/** Seldon's own protocol: https://docs.seldon.ai/seldon-core-1/reference/external-prediction */
export const seldon: ProtocolClient = {
  client: (exchange) => seldonClient((body) => exchange(predictions, body)),
  predictions: () => predictions,
  request: (row) => ({ data: { ndarray: [row] } }),
  health: "/api/v1.0/health/status",
  page: predictions,
  own: { predictions: () => "/predict", health: () => "/health/status" },
};

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
