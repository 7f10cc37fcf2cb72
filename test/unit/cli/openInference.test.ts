import { expect } from "chai";

import type { Exchange } from "../../../cli/exchange";
import { openInferenceClient } from "../../../cli/protocols/openInference";
import type { Rows } from "../../../cli/protocols/answer";
import { answerTable } from "../../../cli/table";
import { rejection } from "../support/rejection";

const input = (name: string, datatype: string, shape = [-1, 1]) => ({ name, datatype, shape });
const output = (name: string, shape: number[], data: unknown[]) => ({ name, shape, datatype: "FP64", data });
/** As MLServer 1.7.1 tells of a model of MLflow whose signature names its columns. */
const columns = [input("a", "FP64"), input("b", "INT64")];

describe("asking a model in the Open Inference Protocol", () => {
  /** Asks a model that declares these inputs. */
  async function ask(
    rows: Rows,
    {
      inputs = [],
      chained = false,
      status = 200,
      answer = { outputs: [output("y", [1, 1], [5.5])] },
    }: {
      inputs?: object[];
      chained?: boolean;
      status?: number;
      answer?: unknown;
    } = {},
  ) {
    const asked: string[] = [];
    const exchange: Exchange = (path, body) => {
      asked.push(body === undefined ? path : `${path} ${body}`);
      if (body === undefined) return Promise.resolve({ status: 200, body: JSON.stringify({ inputs }) });
      return Promise.resolve({ status, body: typeof answer === "string" ? answer : JSON.stringify(answer) });
    };
    const given = await openInferenceClient(exchange, "model", chained).ask(rows);
    const [metadata, sent = ""] = asked;
    expect(metadata).to.equal("/v2/models/model");
    const [path, body] = [sent.slice(0, sent.indexOf(" ")), sent.slice(sent.indexOf(" "))];
    return { answer: given, path, sent: JSON.parse(body) as object };
  }
  const refusal = async (rows: Rows, how: Parameters<typeof ask>[1]) =>
    (await rejection(ask(rows, how))).message;

  it("sends rows without names as one tensor, and gives the answer in Seldon's form", async () => {
    const { answer, path, sent } = await ask({ ndarray: [[1, 2.5]] });
    expect(path).to.equal("/v2/models/model/infer");
    expect(sent).to.deep.equal({
      inputs: [{ name: "predict", shape: [1, 2], datatype: "FP64", data: [1, 2.5] }],
    });
    expect(answer).to.deep.equal({ data: { names: ["y"], ndarray: [[5.5]] } });
  });

  it("gives the tensor the name, the kind and the shape that the model declares", async () => {
    const inputs = [input("image", "INT32", [-1, 2, 2])];
    const { sent } = await ask({ ndarray: [[1, 2, 3, 4]] }, { inputs });
    expect(sent).to.deep.equal({
      inputs: [{ name: "image", shape: [1, 2, 2], datatype: "INT32", data: [1, 2, 3, 4] }],
    });
  });

  for (const [what, rows] of [
    [
      "names",
      {
        names: ["b", "a"],
        ndarray: [
          [3, 1.5],
          [4, 2.5],
        ],
      },
    ],
    [
      "places",
      {
        ndarray: [
          [1.5, 3],
          [2.5, 4],
        ],
      },
    ],
  ] as [string, Rows][]) {
    it(`puts columns by their ${what} where the model declares them`, async () => {
      const outputs = [output("y", [2, 1], [5, 6])];
      const { answer, sent } = await ask(rows, { inputs: columns, answer: { outputs } });
      expect(sent).to.deep.equal({
        inputs: [
          { name: "a", shape: [2, 1], datatype: "FP64", data: [1.5, 2.5] },
          { name: "b", shape: [2, 1], datatype: "INT64", data: [3, 4] },
        ],
      });
      expect(answer).to.deep.equal({ data: { names: ["y"], ndarray: [[5], [6]] } });
    });
  }

  it("sends a table with the names where the model declares none, and says that the order counts", async () => {
    const { answer, sent } = await ask({ names: ["a", "kind"], ndarray: [[1, "old"]] });
    expect(sent).to.deep.equal({
      parameters: { content_type: "pd" },
      inputs: [
        { name: "a", shape: [1, 1], datatype: "FP64", data: [1] },
        { name: "kind", shape: [1, 1], datatype: "BYTES", data: ["old"] },
      ],
    });
    expect(answer.note).to.contain("in the order in which they were given");
  });

  it("names no node in the path of a graph, since the executor would give that name to each", async () => {
    expect((await ask({ ndarray: [[1]] }, { chained: true })).path).to.equal("/v2/models/infer");
  });

  it("sets several outputs side by side, row by row, texts too", async () => {
    const outputs = [output("class", [2], ["low", "high"]), output("p", [2, 2], [0.1, 0.9, 0.8, 0.2])];
    const { answer } = await ask({ ndarray: [[1], [2]] }, { answer: { outputs } });
    expect(answer.data).to.deep.equal({
      names: ["class", "p[0]", "p[1]"],
      ndarray: [
        ["low", 0.1, 0.9],
        ["high", 0.8, 0.2],
      ],
    });
    expect(answerTable(answer)).to.match(/prediction.*class.*p\[0\].*p\[1\][^]*row 1.*high.*0\.80.*0\.20/);
  });

  it("are shown as what they are: truths, texts, and what is missing", () => {
    const data = { names: ["old", "name", "days"], ndarray: [[true, "Rome", null]] };
    expect(answerTable({ data })).to.match(/row 0.*true.*Rome.*missing/);
  });

  for (const [what, rows, how, message] of [
    [
      "no integer",
      { ndarray: [[1, 1.5]] },
      { inputs: columns },
      "feature b: 1.5 is no INT64, which the model takes there.",
    ],
    [
      "an unknown name",
      { names: ["a", "x"], ndarray: [[1, 2]] },
      { inputs: columns },
      "the model does not take x. What it takes, by these names: a, b.",
    ],
    [
      "too few values",
      { ndarray: [[1]] },
      { inputs: columns },
      "the rows have 1 values, and the model takes 2: a, b.",
    ],
    [
      "a narrow row",
      { ndarray: [[1]] },
      { inputs: [input("x", "FP64", [-1, 3])] },
      "the rows have 1 values, and the model takes 3 in each.",
    ],
    [
      "rows of different widths",
      { ndarray: [[1], [1, 2]] },
      {},
      "row 1 has 2 values, and row 0 has 1; give each as many.",
    ],
    [
      "an empty row",
      { ndarray: [[]] },
      {},
      "there is no value to ask the model with; give a row, such as [1, 2].",
    ],
    [
      "a row of several kinds",
      { ndarray: [[1, "old"]] },
      {},
      "a row mixes numbers, texts and truth values; name the features, each of one kind.",
    ],
  ] as [string, Rows, object, string][]) {
    it(`refuses ${what}`, async () => {
      expect(await refusal(rows, how)).to.equal(message);
    });
  }

  it("passes the model's reason on, and what it was not given", async () => {
    const named = { names: ["a"], ndarray: [[1]] };
    const broken = { status: 500, answer: "Internal Server Error" };
    expect(await refusal(named, { ...broken, inputs: columns })).to.equal(
      "the model refused the request (HTTP 500): Internal Server Error. It was not given: b",
    );
    const reasons = [{ error: "wrong" }, { detail: "wrong" }, { status: { info: "wrong" } }];
    for (const answer of reasons)
      expect(await refusal({ ndarray: [[1]] }, { status: 400, answer })).to.equal(
        "the model refused the request (HTTP 400): wrong",
      );
  });

  for (const answer of [
    "<html>",
    "null",
    {},
    { outputs: [] },
    { outputs: [{ name: "y", shape: [2], data: [1, 2, 3] }] },
  ])
    it(`is not taken in by ${JSON.stringify(answer)}`, async () => {
      expect(await refusal({ ndarray: [[1]] }, { answer })).to.contain(
        "what answered is no model that speaks the Open Inference Protocol",
      );
    });
});
