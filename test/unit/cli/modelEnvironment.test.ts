import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { Interrupted, UserError } from "../../../cli/errors";
import { requirementsOf, resolve, resolveScoring } from "../../../cli/modelEnvironment";
import { rejection } from "../support/rejection";

const { signal } = new AbortController();

/** An answer of uv's: what it finds, or says on standard error. */
type Said = { readonly pins: string } | { readonly error: string };

/** A uv that gives these answers, one after the other, and keeps what it was asked. */
class FakeUv {
  private readonly folder = mkdtempSync(path.join(tmpdir(), "fake-uv-"));
  readonly file = path.join(this.folder, "uv");
  readonly env = {};

  constructor(...answers: readonly Said[]) {
    answers.forEach((said, index) => {
      writeFileSync(path.join(this.folder, `answer-${index + 1}`), "pins" in said ? said.pins : said.error);
      writeFileSync(path.join(this.folder, `code-${index + 1}`), "pins" in said ? "0" : "1");
    });
    const script = [
      `cd '${this.folder}'`,
      'count=$(($(cat count 2>/dev/null || echo 0) + 1)); echo $count > count; echo "$*" > asked-$count',
      'for file; do :; done; cat "$file" > input-$count',
      'code=$(cat code-$count); if [ "$code" = 0 ]; then cat answer-$count; else cat answer-$count >&2; fi; exit $code',
    ];
    writeFileSync(this.file, `#!/bin/sh\n${script.join("\n")}\n`);
    chmodSync(this.file, 0o755);
  }

  /** What its nth call was given: its arguments, and the content of the file that they end with. */
  call(number: number): { readonly args: string; readonly input: readonly string[] } {
    const read = (name: string) => readFileSync(path.join(this.folder, `${name}-${number}`), "utf8").trim();
    return { args: read("asked"), input: read("input").split("\n") };
  }

  /** How often it was called. */
  get calls(): number {
    return Number(readFileSync(path.join(this.folder, "count"), "utf8"));
  }
}

const none = (cause: string): Said => ({
  error: `error: No solution found when resolving dependencies\n  cause: ${cause}\n`,
});
const unsatisfiable = "we can conclude that your requirements are unsatisfiable.";

async function refusal(requirements: string, ...answers: readonly Said[]): Promise<string> {
  const error = await rejection(resolve(requirements, { python: "3.12" }, new FakeUv(...answers), signal));
  expect(error).to.be.instanceOf(UserError);
  return error.message;
}

describe("the packages that serve a model", () => {
  it("are what it requires and what serves it, resolved together, of MLflow what serving needs", async () => {
    const uv = new FakeUv({ pins: "numpy==2.2.6\nmlserver==1.7.1\nmlflow-skinny==3.15.1\n" });
    const target = { python: "3.12", platform: "linux" };
    const pins = await resolve("mlflow[extras]==3.15.1\nnumpy==2.2.6  # exact\n", target, uv, signal);
    expect(pins).to.deep.equal(["mlflow-skinny==3.15.1", "mlserver==1.7.1", "numpy==2.2.6"]);
    const { args, input } = uv.call(1);
    expect(args)
      .to.include("--python-version 3.12 --python-platform linux")
      .and.include("--only-binary :all:");
    expect(input[0]).to.match(/^-r .*model-server\.in$/);
    expect(input.slice(1)).to.deep.equal(["numpy==2.2.6", "mlflow-skinny==3.15.1", "mlflow-skinny>=2.19.0"]);
  });

  it("have the nearest MLflow that serves where the model was logged by an older one", async () => {
    const uv = new FakeUv({ pins: "mlflow-skinny==2.22.0\n" });
    await resolve("mlflow==2.10.0\n", { python: "3.12" }, uv, signal);
    expect(uv.call(1).input.slice(1)).to.deep.equal(["mlflow-skinny<3", "mlflow-skinny>=2.19.0"]);
  });

  it("score tables with what reads them, and stay what they are where they can", async () => {
    const uv = new FakeUv({ pins: "mlserver==1.7.1\nnumpy==2.2.6\npyarrow==25.0.1\n" });
    const serving = ["mlserver==1.7.1", "numpy==2.2.6"];
    const pins = await resolveScoring("numpy\n", serving, { python: "3.12" }, uv, signal);
    expect(pins).to.deep.equal([...serving, "pyarrow==25.0.1"]);
    const { args, input } = uv.call(1);
    expect(args).to.match(/--output-file \S+requirements\.txt/);
    expect(input.filter((line) => /^(pyarrow|boto3)==/.test(line))).to.have.length(2);
  });

  it("score tables with the model's own versions, and with others of ours where it needs such", async () => {
    const uv = new FakeUv(none(`Because pyarrow is 17, ${unsatisfiable}`), { pins: "pyarrow==17.0.0\n" });
    await resolveScoring("pyarrow==17.0.0\n", ["pyarrow==17.0.0"], { python: "3.12" }, uv, signal);
    expect(uv.call(1).input.join(" ")).to.contain("pyarrow==17.0.0").and.not.contain("pyarrow==25");
    expect(uv.call(1).input.join(" ")).to.match(/ boto3==/);
    expect(uv.call(2).input).to.include("boto3");
  });

  it("are others than MLServer's images have where the model needs it, but for those that it does not run with", async () => {
    const conflict = none(`Because you require pydantic==2.9.2 and pydantic==2.11.3, ${unsatisfiable}`);
    const uv = new FakeUv(conflict, { pins: "pydantic==2.11.3\n" });
    const pins = await resolve("pydantic==2.11.3", { python: "3.12" }, uv, signal);
    expect(pins).to.deep.equal(["pydantic==2.11.3"]);
    const second = uv.call(2).input;
    expect(second).to.include.members(["mlserver==1.7.1", "mlserver-mlflow==1.7.1", "pydantic==2.11.3"]);
    expect(second.join()).to.include("uvloop==").and.not.include("pydantic==2.9.2");
  });

  it("are asked for once where no pin of ours is in the way", async () => {
    const uv = new FakeUv(
      none(`Because there is no version of numpy==99 and you require numpy==99, ${unsatisfiable}`),
    );
    await rejection(resolve("numpy==99", { python: "3.12" }, uv, signal));
    expect(uv.calls).to.equal(1);
  });
});

describe("packages that cannot be had", () => {
  it("are named, with the reason in a sentence", async () => {
    const version = `Because there is no version of scikit-learn==9.9 and you require scikit-learn==9.9, ${unsatisfiable}`;
    expect(await refusal("scikit_learn==9.9\nnumpy", none(version))).to.equal(
      "scikit_learn==9.9, which the model requires, cannot be had for Python 3.12: there is no version of scikit-learn==9.9.",
    );
    const server =
      "Because mlserver==1.7.1 depends on protobuf>=5.27.2,<7.0.0 and you require mlserver==1.7.1, we can conclude " +
      `that you require protobuf>=5.27.2,<7.0.0.\n         And because you require protobuf==3.20.3, ${unsatisfiable}`;
    expect(await refusal("protobuf==3.20.3", none(server))).to.equal(
      "protobuf==3.20.3, which the model requires, cannot be had for Python 3.12: mlserver==1.7.1 depends on " +
        "protobuf>=5.27.2,<7.0.0; it requires protobuf==3.20.3.",
    );
  });

  it("are told without uv's hints, and MLflow by the name that the model has for it", async () => {
    const wheels =
      `Because jaeger-client==4.8.0 has no usable wheels and you require jaeger-client==4.8.0, ${unsatisfiable}\n\n` +
      "hint: Wheels are required for `jaeger-client`";
    expect(await refusal("jaeger-client==4.8.0", none(wheels))).to.match(
      /jaeger-client==4.8.0 has no usable wheels\.$/,
    );
    const mlflow = `Because there is no version of mlflow-skinny==99 and you require mlflow-skinny==99, ${unsatisfiable}`;
    expect(await refusal("mlflow==99", none(mlflow))).to.match(/^mlflow==99, which the model requires, /);
  });

  it("are told apart from an index that cannot be reached", async () => {
    const lost =
      "error: Request failed after 3 retries\n  cause: tcp connect error\n  cause: Connection refused\n";
    expect(await refusal("numpy", { error: lost })).to.match(
      /^the index of Python packages cannot be reached/,
    );
  });
});

describe("looking for packages", () => {
  it("ends when it is told to, as it was told to", async () => {
    const controller = new AbortController();
    controller.abort(new Interrupted("SIGINT"));
    const uv = new FakeUv({ pins: "numpy==2.2.6\n" });
    const error = await rejection(resolve("numpy", { python: "3.12" }, uv, controller.signal));
    expect(error).to.be.instanceOf(Interrupted);
    // Also where it has not begun: a log of another time is not read.
    const other = `numpy==${Date.now()}`;
    expect(await rejection(resolve(other, { python: "3.12" }, uv, controller.signal))).to.equal(error);
  });
});

describe("the requirements of a model", () => {
  it("are read as pip reads them", () => {
    const text = [
      "# comment",
      "numpy==1.26.4 ; python_version >= '3.9'",
      "Scikit_Learn [all] >=1.5, <2 # why",
      "pandas==2.2.3 \\",
      "    --hash=sha256:00",
      "scipy (>=1.0)",
      "torch==2.1.0+cu118",
      "",
    ];
    expect(requirementsOf(text.join("\r\n")).map(({ name }) => name)).to.deep.equal([
      "numpy",
      "scikit-learn",
      "pandas",
      "scipy",
      "torch",
    ]);
  });

  for (const line of [
    "-e .",
    "-r other.txt",
    "-c constraints.txt",
    "--index-url https://example.com/simple",
    "--extra-index-url=https://example.com/simple",
    "git+https://example.com/a.git",
    "a @ file:///tmp/a.whl",
    "a@https://example.com/a.whl",
    "https://example.com/a-1.0-py3-none-any.whl",
    "file:///tmp/a",
    "./a",
    "../a",
    "/tmp/a",
    "~/a",
    "a-1.0-py3-none-any.whl",
    "a-1.0.tar.gz",
    "C:\\a",
    "a==1.0 --config-settings=x=y",
    "${PACKAGE}==1.0",
    "a ; python_version > '${X}'",
    // Read at once, however it could be taken apart.
    `a>=${"!".repeat(90)}$`,
  ])
    it(`are refused where they have ${line}`, () => {
      expect(() => requirementsOf(`numpy==1.26.4\n${line}\n`))
        .to.throw(UserError)
        .with.property("message")
        .that.includes(JSON.stringify(line))
        .and.not.includes("numpy");
    });
});
