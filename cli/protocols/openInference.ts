/**
 * The Open Inference Protocol, version 2, as MLServer speaks it:
 * https://github.com/open-inference/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 */
import { UserError } from "../errors";
import { exactJson } from "../exactJson";
import { type Exchange, parsedReply } from "../exchange";
import { type Answer, type ModelClient, type Output, type Rows, exampleRow } from "./answer";
import type { ProtocolClient } from "./protocol";

/** An input as a model's metadata tells of it; of a length that is not fixed it says -1. */
interface Input {
  readonly name: string;
  readonly datatype: string;
  readonly shape?: readonly number[];
}

/** Values of one name on their way to a model, or back. */
interface Tensor extends Input {
  readonly shape: readonly number[];
  readonly data: readonly unknown[];
}

/** What is sent. */
interface Request {
  readonly parameters?: { readonly content_type: string };
  readonly inputs: readonly Tensor[];
}

export const openInference: ProtocolClient = {
  client: (exchange, { unit, chained }) => openInferenceClient(exchange, unit, chained),
  predictions: ({ unit, chained }) => inferPath(unit, chained),
  request: (rows) => requestFor(rows, []),
  health: "/v2/health/ready",
  page: "/v2/docs/",
  own: { predictions: (model) => inferPath(model, false), health: (model) => `${modelPath(model)}/ready` },
};

/**
 * A client of a model that speaks the Open Inference Protocol.
 *
 * @param unit the name by which the server knows the model.
 * @param chained whether requests are led through further nodes of a graph.
 */
export function openInferenceClient(exchange: Exchange, unit: string, chained = false): ModelClient {
  let known: readonly Input[] | undefined;
  return {
    takes: async () => {
      known ??= await declaredInputs(exchange, unit);
      return known.map(({ name }) => name);
    },
    example: async () => {
      const { inputs, example } = await declaredBy(exchange, unit);
      return exampleRow(
        inputs.map(({ name }) => name),
        example,
      );
    },
    ask: async (rows) => {
      known ??= await declaredInputs(exchange, unit);
      const request = requestFor(rows, known);
      const { status, body } = await exchange(inferPath(unit, chained), exactJson(request));
      const reply = parsedReply(body);
      if (status !== 200) {
        const reason = reasonIn(reply) ?? body.slice(0, 300);
        const without = missing(rows, known).filter((name) => !reason.includes(name));
        throw new UserError(
          `the model refused the request (HTTP ${status}): ${reason}` +
            (without.length === 0 ? "" : `. It was not given: ${without.join(", ")}`),
        );
      }
      const answer = toAnswer(reply, body);
      return request.parameters === undefined ? answer : { ...answer, note: unnamed };
    },
  };
}

/** What whoever named features has to know: a model that was trained without names takes them in any order. */
const unnamed =
  "The model does not tell the names of its inputs, so the features went to it in the order in which they were given. " +
  "Compare it with that of the training.";

/** The inputs that named features leave out. One may be optional, which is not for the metadata to tell. */
function missing({ names }: Rows, declared: readonly Input[]): string[] {
  if (names === undefined || declared.length < 2) return [];
  return declared.map(({ name }) => name).filter((name) => !names.includes(name));
}

/**
 * Where a model is asked. The executor takes a name in the path for that of every node of a graph, and so finds no node
 * but the first: `ModelNameOverride` in its `predictor_process.go` (1.17.1 to 1.19.0).
 */
function inferPath(unit: string, chained: boolean): string {
  return chained ? "/v2/models/infer" : `${modelPath(unit)}/infer`;
}

function modelPath(unit: string): string {
  return `/v2/models/${encodeURIComponent(unit)}`;
}

/** The inputs that the model declares; none if it declares none, as prepackaged servers often do. */
async function declaredInputs(exchange: Exchange, unit: string): Promise<readonly Input[]> {
  return (await declaredBy(exchange, unit)).inputs;
}

/** What the model tells of its inputs, and an example of them in JSON. */
async function declaredBy(
  exchange: Exchange,
  unit: string,
): Promise<{ readonly inputs: readonly Input[]; readonly example?: unknown }> {
  if (unit === "") return { inputs: [] };
  const { status, body } = await exchange(modelPath(unit));
  const { inputs, parameters } = (status === 200 ? parsedReply(body) : {}) as {
    inputs?: Input[] | null;
    parameters?: { example?: unknown } | null;
  };
  return { inputs: inputs ?? [], example: parameters?.example };
}

function requestFor(rows: Rows, declared: readonly Input[]): Request {
  const { names, ndarray } = rows;
  const width = widthOf(ndarray);
  const [only] = declared;
  if (declared.length > 1 || (only !== undefined && names?.length === 1 && names[0] === only.name))
    return { inputs: declaredColumns(rows, declared, width) };
  if (names === undefined) return { inputs: [wholeTensor(ndarray, width, only)] };
  // Only a table carries names, and a model that was trained with names compares them.
  return {
    parameters: { content_type: "pd" },
    inputs: names.map((name, index) => column({ name }, values(ndarray, index))),
  };
}

/** @throws UserError there are no rows, or they differ in width. */
function widthOf(rows: Rows["ndarray"]): number {
  const width = rows[0]?.length ?? 0;
  if (width === 0)
    throw new UserError("there is no value to ask the model with; give a row, such as [1, 2].");
  const odd = rows.findIndex((row) => row.length !== width);
  if (odd >= 0)
    throw new UserError(
      `row ${odd} has ${rows[odd]?.length ?? 0} values, and row 0 has ${width}; give each as many.`,
    );
  return width;
}

/** A tensor for each input that the model declares and the rows have. */
function declaredColumns({ names, ndarray }: Rows, declared: readonly Input[], width: number): Tensor[] {
  const wanted = declared.map(({ name }) => name);
  if (names === undefined) {
    if (width !== declared.length)
      throw new UserError(
        `the rows have ${width} values, and the model takes ${declared.length}: ${wanted.join(", ")}.`,
      );
    return declared.map((input, index) => column(input, values(ndarray, index)));
  }
  const unknown = names.filter((name) => !wanted.includes(name));
  if (unknown.length > 0)
    throw new UserError(
      `the model does not take ${unknown.join(", ")}. What it takes, by these names: ${wanted.join(", ")}.`,
    );
  return declared
    .filter(({ name }) => names.includes(name))
    .map((input) => column(input, values(ndarray, names.indexOf(input.name))));
}

function values(rows: Rows["ndarray"], index: number): unknown[] {
  return rows.map((row) => row[index]);
}

function column({ name, datatype }: Partial<Input> & { name: string }, data: unknown[]): Tensor {
  const checked = typed(data, datatype, `feature ${name}`);
  return { name, shape: [data.length, 1], datatype: checked, data };
}

/** All values of rows as one tensor, in the shape that the model declares. */
function wholeTensor(rows: Rows["ndarray"], width = rows[0]?.length ?? 0, declared?: Input): Tensor {
  const rest = declared?.shape?.slice(1) ?? [];
  const size = rest.reduce((all, length) => all * length, 1);
  if (rest.length > 0 && rest.every((length) => length > 0) && size !== width)
    throw new UserError(`the rows have ${width} values, and the model takes ${size} in each.`);
  const data = rows.flat();
  const datatype = typed(data, declared?.datatype, "a row");
  const shape = [rows.length, ...(size === width && declared?.shape !== undefined ? rest : [width])];
  return { name: declared?.name ?? "predict", shape, datatype, data };
}

function isNumber(value: unknown): boolean {
  return typeof value === "number" || typeof value === "bigint";
}

/** Whether a value is one of a datatype's; what is missing is `null` in JSON, and not a number in a tensor. */
function fits(value: unknown, datatype: string): boolean {
  if (/^(FP|BF)/.test(datatype)) return isNumber(value) || value === null;
  if (/^U?INT/.test(datatype)) return typeof value === "bigint" || Number.isInteger(value);
  if (datatype === "BOOL") return typeof value === "boolean";
  return datatype !== "BYTES" || typeof value === "string" || value === null;
}

/**
 * The datatype of values: the declared one, else the one that fits them all.
 *
 * @throws UserError a value does not fit: of 1.5 the server would make the integer 1 without a word.
 */
function typed(data: readonly unknown[], declared: string | undefined, place: string): string {
  const all = (datatype: string) => data.every((value) => fits(value, datatype));
  const datatype = declared ?? ["FP64", "BOOL", "BYTES"].find(all);
  if (datatype === undefined)
    throw new UserError(
      `${place} mixes numbers, texts and truth values; name the features, each of one kind.`,
    );
  const wrong = data.find((value) => !fits(value, datatype));
  if (wrong !== undefined)
    throw new UserError(`${place}: ${exactJson(wrong)} is no ${datatype}, which the model takes there.`);
  return datatype;
}

/** The outputs side by side, a row for each row asked. @throws UserError these are no outputs. */
function toAnswer(answer: unknown, text: string): Answer {
  const { outputs = [] } = (answer ?? {}) as { outputs?: readonly Tensor[] };
  const flat = outputs.map(({ data }) => (Array.isArray(data) ? (data.flat(Infinity) as Output[]) : []));
  const count = outputs[0]?.shape[0] ?? flat[0]?.length ?? 0;
  const widths = flat.map((data) => data.length / count);
  if (outputs.length === 0 || !widths.every((width) => Number.isInteger(width) && width > 0))
    throw new UserError(
      `what answered is no model that speaks the Open Inference Protocol: ${text.slice(0, 200)}`,
    );
  const names = outputs.flatMap(({ name }, output) =>
    widths[output] === 1
      ? [name]
      : Array.from({ length: widths[output] ?? 0 }, (_, index) => `${name}[${index}]`),
  );
  const ndarray = Array.from({ length: count }, (_, row) =>
    flat.flatMap((data, output) =>
      data.slice(row * (widths[output] ?? 0), (row + 1) * (widths[output] ?? 0)),
    ),
  );
  return { data: { names, ndarray } };
}

/** A refusal's reason: MLServer's own, that of its web framework, or that of Seldon's executor. */
function reasonIn(answer: unknown): string | undefined {
  const { error, detail, status } = (answer ?? {}) as {
    error?: unknown;
    detail?: unknown;
    status?: { info?: string };
  };
  const reason = error ?? detail ?? status?.info;
  return reason === undefined || typeof reason === "string" ? reason : JSON.stringify(reason);
}
