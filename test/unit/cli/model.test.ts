import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { type Send, sendTo } from "../../../cli/exchange";
import { checkParity, readParityRecord } from "../../../cli/parity";
import { outputs } from "../../../cli/protocols/answer";
import { predict, seldonClient } from "../../../cli/protocols/seldon";
import { rejection } from "../support/rejection";
import { serveHttp, serveTcp } from "../support/servers";

const answering =
  (body: unknown, status = 200): Send =>
  () =>
    Promise.resolve({ status, body: typeof body === "string" ? body : JSON.stringify(body) });

describe("asking a model", () => {
  it("posts the rows as Seldon's data, and returns the answer", async () => {
    let asked = "";
    const server = await serveHttp((request, response) => {
      request.on("data", (chunk: Buffer) => (asked += chunk.toString()));
      request.on("end", () => response.end(JSON.stringify({ data: { names: [], ndarray: [[7], [8]] } })));
    });
    try {
      const answer = await predict(sendTo(server.url), { names: ["a"], ndarray: [[1], [2]] });
      expect(outputs(answer)).to.deep.equal([[7], [8]]);
      expect(JSON.parse(asked)).to.deep.equal({ data: { names: ["a"], ndarray: [[1], [2]] } });
    } finally {
      await server.close();
    }
  });

  it("passes the model's reason on", async () => {
    const refusal = answering({ status: { info: "each row needs 10 numbers" } }, 400);
    const error = await rejection(predict(refusal, { ndarray: [[1]] }));
    expect(error.message).to.equal("the model refused the request (HTTP 400): each row needs 10 numbers");
  });

  for (const [name, body] of [
    ["another JSON service", { hello: 1 }],
    ["a web page", "<html>"],
    ["null", "null"],
  ] as const) {
    it(`is not taken in by ${name}`, async () => {
      const error = await rejection(predict(answering(body), { ndarray: [[1]] }));
      expect(error.message).to.contain("no model that speaks Seldon's protocol");
    });
  }

  it("says that nothing listens", async () => {
    const server = await serveHttp(() => undefined);
    await server.close();
    const error = await rejection(sendTo(server.url)("{}"));
    expect(error.message).to.contain("nothing listens there");
  });

  it("says which ports cannot be asked", async () => {
    const error = await rejection(sendTo("http://127.0.0.1:6000/predict")("{}"));
    expect(error.message).to.equal(
      "http://127.0.0.1:6000/predict cannot be asked: its port is none for HTTP, by https://fetch.spec.whatwg.org/#bad-port.",
    );
  });

  it("tells a gRPC port from a REST port", async () => {
    // What a gRPC server does with any connection: it sends its HTTP/2 settings.
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    const server = await serveTcp((socket) => socket.write(settings));
    try {
      const error = await rejection(sendTo(server.url)("{}"));
      expect(error.message).to.contain(`127.0.0.1:${server.port} speaks gRPC (HTTP/2), not REST`);
    } finally {
      await server.close();
    }
  });

  it("takes a port that speaks neither for neither", async () => {
    const server = await serveTcp((socket) => socket.end("220 mail\r\n"));
    try {
      const error = await rejection(sendTo(server.url)("{}"));
      expect(error.message).to.contain("no answer from").and.not.to.contain("gRPC");
    } finally {
      await server.close();
    }
  });
});

describe("parity", () => {
  const record = { names: ["a"], rows: [[1], [2]], predictions: [10, 20], libraries: { xgboost: "3.2.0" } };
  const parity = (answer: object) => checkParity(seldonClient(answering(answer)), record);

  it("is content with the numbers of the training, to a millionth", async () => {
    await parity({ data: { ndarray: [10.000005, [19.99999]] } });
  });

  it("is content with more where the training answered in float32", async () => {
    const asked = (first: number) =>
      checkParity(seldonClient(answering({ data: { ndarray: [first, 20] } })), {
        ...record,
        dtype: "float32",
      });
    await asked(10.00005);
    await rejection(asked(10.0002));
  });

  it("refuses other numbers, with both and the libraries", async () => {
    const error = await rejection(parity({ data: { ndarray: [10, 0.022] } }));
    expect(error.message)
      .to.contain("row 1: answered 0.022, training answered 20")
      .and.contain("xgboost 3.2.0");
    expect(error.message).not.to.contain("row 0");
  });

  for (const [name, ndarray] of [
    ["too few answers", [10]],
    ["too many answers", [10, 20, 30]],
    ["an answer that is no number", [10, null]],
    ["a difference of more than a millionth", [10.00002, 20]],
  ] as const) {
    it(`refuses ${name}`, async () => {
      const error = await rejection(parity({ data: { ndarray } }));
      expect(error.message).to.contain("does not answer as the model did at training");
    });
  }

  it("reads the record of a model folder, and misses it where there is none", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-parity-"));
    const file = path.join(folder, "MLmodel");
    writeFileSync(file, `metadata:\n  mlplatform: ${JSON.stringify(record)}\n`);
    expect(readParityRecord(folder)).to.deep.equal(record);
    writeFileSync(file, "flavors: {}\n");
    expect(() => readParityRecord(folder)).to.throw("has no rows recorded at training");
  });
});
