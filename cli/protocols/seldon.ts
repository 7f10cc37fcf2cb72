import { UserError } from "../errors";
import { exactJson } from "../exactJson";
import { type Reply, type Send, parsedReply } from "../exchange";
import { type Answer, type ModelClient, type Rows, exampleRow } from "./answer";
import type { ProtocolClient } from "./protocol";

const predictions = "/api/v1.0/predictions";
const metadata = "/api/v1.0/metadata";

/** Seldon's own protocol: https://docs.seldon.ai/seldon-core-1/reference/external-prediction */
export const seldon: ProtocolClient = {
  client: (exchange, { unit }) =>
    seldonClient(
      (body) => exchange(predictions, body),
      () => exchange(metadata),
      unit,
    ),
  predictions: () => predictions,
  request: (rows) => ({ data: rows }),
  health: "/api/v1.0/health/status",
  page: predictions,
  own: { predictions: () => "/predict", health: () => "/health/status" },
};

/**
 * A client of a model that speaks Seldon's own protocol.
 *
 * @param describe asks for its metadata. @default nobody knows where they are
 * @param unit the name by which Seldon's executor tells it from the others of a graph.
 */
export function seldonClient(send: Send, describe?: () => Promise<Reply>, unit = ""): ModelClient {
  return {
    ...(describe === undefined
      ? {}
      : {
          takes: async () => told(await describe(), unit).names,
          example: async () => {
            const { names, example } = told(await describe(), unit);
            return exampleRow(names, example);
          },
        }),
    ask: (rows) => predict(send, rows),
    show: (picture) => tell(send, { binData: picture.toString("base64") }),
  };
}

/**
 * Asks a model for predictions.
 *
 * @throws UserError it refuses the rows, with its reason, or does not speak Seldon's protocol.
 */
export function predict(send: Send, rows: Rows): Promise<Answer> {
  return tell(send, { data: rows });
}

async function tell(send: Send, message: object): Promise<Answer> {
  const { status, body } = await send(exactJson(message));
  const answer = parsedReply(body);
  if (status !== 200) {
    const info = (answer as { status?: { info?: string } } | undefined)?.status?.info;
    throw new UserError(`the model refused the request (HTTP ${status}): ${info ?? body.slice(0, 300)}`);
  }
  const told = asRows(answer);
  if (told === undefined)
    throw new UserError(`what answered is no model that speaks Seldon's protocol: ${body.slice(0, 200)}`);
  return told;
}

interface Told {
  readonly inputs?: readonly { readonly schema?: { readonly names?: unknown } }[];
  readonly custom?: { readonly example?: unknown };
  readonly models?: Readonly<Record<string, Told>>;
}

/** What a model says of its columns, as the project's servers do; the executor tells of all units of the graph. */
function told({ status, body }: Reply, unit: string): { names: readonly string[]; example: unknown } {
  const all = (status === 200 ? parsedReply(body) : undefined) as Told | null | undefined;
  const { inputs, custom } = all?.models?.[unit] ?? all ?? {};
  const names = Array.isArray(inputs) ? (inputs as Told["inputs"])?.[0]?.schema?.names : undefined;
  return { names: Array.isArray(names) ? names.map(String) : [], example: custom?.example };
}

/** An answer with its outputs in rows; to what is no rows Seldon answers a tensor. Undefined if it is neither. */
function asRows(answer: unknown): Answer | undefined {
  const { data, ...rest } = (answer ?? {}) as Partial<Answer>;
  if (Array.isArray(data?.ndarray)) return answer as Answer;
  const { tensor, ...more } = (data ?? {}) as { tensor?: { shape?: number[]; values?: number[] } };
  const { shape = [], values = [] } = tensor ?? {};
  const [rows = 0, width = 1] = shape;
  if (tensor === undefined || shape.length > 2 || rows * width !== values.length) return undefined;
  const ndarray = Array.from({ length: rows }, (_, row) => values.slice(row * width, (row + 1) * width));
  return { ...rest, data: { ...more, ndarray } };
}
