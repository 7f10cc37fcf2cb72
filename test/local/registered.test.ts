import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import { answersFile } from "../../config/answers";
import { homeDir, mlAppDir, projectDir } from "../../cli/paths";
import { type ModelUp, TestPlatform, detailOf, lastEvent } from "./support/platform";

const support = path.join(projectDir, "test", "local", "support");
const notebook = path.join(mlAppDir, "notebooks", "your_model.ipynb");
/** What the page says of a model from a notebook. */
const page = readFileSync(path.join(projectDir, "docs", "add-a-model.md"), "utf8");
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map(([, text = ""]) => text);
const commands = blocks("sh").flatMap((block) => block.trim().split("\n"));

describe("a model that somebody else has logged and registered", function () {
  this.timeout(600_000);
  const platform = new TestPlatform();
  /** What its library predicts for the first row of its example. */
  let expected: number;

  /** Runs a file of the tests' as somebody would who has MLflow, and nothing of the project. */
  function python(file: string, args: readonly string[], mlflow: string): string {
    const interpreter = path.join(homeDir(), "env", "tracking", "bin", "python");
    const env = { ...process.env, MLFLOW_TRACKING_URI: mlflow };
    const script = path.join(support, file);
    return execFileSync(interpreter, ["-W", "ignore", script, ...args], {
      env,
      encoding: "utf8",
      stdio: "pipe",
    });
  }

  /** The arguments of the next command of the page, which must begin so. */
  function onThePage(beginning: string): string[] {
    const command = commands.shift() ?? "";
    expect(command).to.match(new RegExp(`^${beginning}`));
    return command
      .split(" ")
      .filter((word) => word !== "--")
      .slice(2);
  }

  before(async () => {
    const { events, stderr } = await platform.run([...onThePage("npm run up"), "--json"]);
    const mlflow = String(lastEvent(events, "up")["mlflow"]);
    expect(mlflow, stderr).to.match(/^http:/);
    onThePage("export MLFLOW_TRACKING_URI=http:");
    const printed = python("run_notebook.py", [notebook], mlflow);
    expected = Number(printed.trim().split("\n").at(-1));
    python("log_models.py", [], mlflow);
  });
  after(() => platform.dispose());

  it("is logged by the notebook of the page, whose last cell the page shows", () => {
    const { cells } = JSON.parse(readFileSync(notebook, "utf8")) as { cells: { source: string[] }[] };
    const sources = cells.map(({ source }) => source.join(""));
    const [shown = ""] = blocks("python");
    expect(sources.at(-1)).to.include(shown.trim());
  });

  it("is served beside those of the project, in an environment of what it requires, when its example is answered", async () => {
    const { code, events, stderr } = await platform.run([...onThePage("npm run up"), "--json"]);
    expect(code, stderr).to.equal(0);
    expect(detailOf(events, "registered model spending")).to.equal(
      "version 1, the newest: it has no champion",
    );
    expect(detailOf(events, "model server spending")).to.equal(
      "version 1 serves: 3 rows of its input example answered as by its own libraries",
    );
    const [up] = lastEvent(events, "up")["models"] as [ModelUp];
    expect(up.prediction.value).to.be.closeTo(expected, 1e-6);
    expect(up.prediction).to.deep.include({ names: ["age", "city", "income", "vip"] });
    expect(Object.keys(platform.services())).to.have.members([
      "mlflow",
      "front",
      "frontend",
      "house-price",
      "spending",
    ]);
    const status = JSON.parse((await platform.run(["status", "--json"])).stdout) as { healthy: boolean };
    expect(status.healthy).to.equal(true);
  });

  it("is promoted and rolled back like any other", async () => {
    const { mlflow } = platform.state() as unknown as { mlflow: { port: number } };
    python("run_notebook.py", [notebook], `http://127.0.0.1:${mlflow.port}`);
    const refused = await platform.run(["promote", "spending"]);
    expect(refused.stderr).to.contain("spending has no version with the alias challenger. Choose one");
    for (const [words, version] of [
      [["promote", "spending", "2"], 2],
      [["rollback", "spending"], 1],
    ] as const) {
      const { code, events, stderr } = await platform.run([...words, "--json"]);
      expect(code, stderr).to.equal(0);
      expect(lastEvent(events, words[0])).to.include({ version, alias: "champion" });
      const { stdout } = await platform.run(["predict", "--model", "spending"]);
      expect(stdout).to.contain(`spending version ${version}, local`);
    }
  });

  it("is asked by its name, by default for its example, and has a curl that works", async () => {
    const asked = [...onThePage("npm run predict"), "--json"];
    const answer = JSON.parse((await platform.run(asked)).stdout) as { data: { ndarray: number[][] } };
    expect(answer.data.ndarray[0]?.[0]).to.be.closeTo(expected, 1e-6);
    const words = onThePage("npm run predict");
    const row = '{"age": 30, "city": "Oslo", "income": 50.5, "vip": true}';
    for (const given of [words, ["predict", "--model", "spending", row]])
      expect((await platform.run(given)).stdout).to.contain("110.");
    const without = await platform.run(words.filter((word) => word !== "age=30"));
    expect(without.stderr).to.contain('these are not the model\'s inputs; missing: "age"');
    const { stdout } = await platform.run(["up", "--models", "spending", "--detach"]);
    const [, curl = ""] = /predictions +(curl .*)/.exec(stdout) ?? [];
    const body = execFileSync("sh", ["-c", curl], { encoding: "utf8", stdio: "pipe" });
    const { outputs } = JSON.parse(body) as { outputs: { data: number[] }[] };
    expect(outputs[0]?.data[0]).to.be.closeTo(expected, 1e-6);
  });

  it("scores by one that the user takes as it is, whatever its own libraries have answered before", async () => {
    const [input, output] = ["one.csv", "taken.csv"].map((file) => path.join(platform.home, file));
    writeFileSync(String(input), "age,city,income,vip\n30,Oslo,50.5,true\n");
    const words = ["score", "spending", "--input", String(input), "--output", String(output)];
    const found = ["find", [platform.home, "-name", answersFile, "-path", "*spending*"]] as const;
    // Of each version that was fetched; whichever is in service.
    const files = execFileSync(...found, { encoding: "utf8" })
      .trim()
      .split("\n");
    const before = new Map(files.map((file) => [file, readFileSync(file, "utf8")]));
    for (const [file, text] of before) writeFileSync(file, text.replaceAll(/\d+\.\d+/g, "0.5"));
    try {
      expect((await platform.run(words)).stderr).to.match(/does not answer as its own libraries did/);
      await platform.run(["up", "--models", "spending", "--parity-off", "spending", "--detach"]);
      const { code, stderr } = await platform.run(words);
      expect(code, stderr).to.equal(0);
    } finally {
      for (const [file, text] of before) writeFileSync(file, text);
    }
    const back = await platform.run(["up", "--models", "spending", "--detach"]);
    expect(back.code, back.stderr).to.equal(0);
  });

  it("scores a table of its columns, texts among them, by the version in service", async () => {
    const [input, output] = ["people.csv", "spending.csv"].map((file) => path.join(platform.home, file));
    const rows = ["age,city,income,vip", "30,Oslo,50.5,true", "31,Rome,x,false", ",Oslo,1,maybe"];
    writeFileSync(String(input), rows.join("\n"));
    const words = ["score", "spending", "--input", String(input), "--output", String(output)];
    const { code, stdout, stderr } = await platform.run(words);
    expect(code, stderr).to.equal(0);
    expect(stdout).to.contain("1 row scored: ").and.contain("2 rows rejected, each with its reason");
    const [head, row = ""] = readFileSync(String(output), "utf8").trimEnd().split("\n");
    expect(head).to.match(/^line,\w+$/);
    expect(Number(row.split(",")[1])).to.be.closeTo(110.5, 2);
    expect(
      readFileSync(`${String(output)}.rejected.jsonl`, "utf8")
        .trimEnd()
        .split("\n"),
    ).to.deep.equal([
      '{"line": 3, "reason": "income is not a number: x"}',
      '{"line": 4, "reason": "age is empty; vip is neither true nor false: maybe"}',
    ]);
  });

  it("is refused, with the way out, where it is not there, cannot be served, or may not", async () => {
    const refusal = async (...args: string[]) =>
      (await platform.run(["up", "--detach", "--models", ...args])).stderr;
    expect(await refusal("spendin"))
      .to.contain('there is no model "spendin" (did you mean spending?). There are ')
      .and.match(
        /house-price.*, and in the registry at http:\S+ custom, pickled, silent, spending, unsigned; or say all/,
      );
    expect(await refusal("unsigned"))
      .to.contain("unsigned version 1 has no signature")
      .and.contain("input_example");
    expect(await refusal("pickled")).to.contain(
      "pickled version 1 holds a pickle (model.pkl): whoever loads it runs the code of whoever has logged it.",
    );
    expect(await refusal("pickled", "--allow-code", "pickled")).to.match(
      /pickled version 1: scikit-learn==99, which the model requires, cannot be had for Python 3\.1\d\.\d+: there is no/,
    );
    expect(await refusal("spending", "--data", "x.csv")).to.contain("--data");
    expect(Object.keys(platform.services())).to.have.members([
      "mlflow",
      "front",
      "frontend",
      "house-price",
      "spending",
    ]);
  });

  it("with code of its own is refused, and served where that is allowed", async () => {
    const refused = await platform.run(["up", "--detach", "--models", "custom"]);
    expect(refused.stderr).to.contain(
      "custom version 1 holds Python code of its own (code/) and types of others (somebodys.Scaled)",
    );
    const allowed = ["up", "--models", "custom", "--allow-code", "custom", "--detach", "--json"];
    const { code, events, stderr } = await platform.run(allowed);
    expect(code, stderr).to.equal(0);
    expect(detailOf(events, "expected answers of custom")).to.equal(
      "computed for 3 rows of its input example",
    );
    expect(detailOf(events, "model server custom")).to.contain("answered as by its own libraries");
  });

  it("without an example is refused, as nothing can be compared, and served where that is taken as it is", async () => {
    const silent = ["up", "--models", "silent", "--detach", "--json"];
    expect((await platform.run(silent)).stderr).to.contain(
      "silent version 1: there is nothing to compare its answers with: it was logged without an example of its input. " +
        "Log it again with input_example=X.head(), or: --parity-off silent",
    );
    const { code, events, stderr } = await platform.run([...silent, "--parity-off", "silent"]);
    expect(code, stderr).to.equal(0);
    expect(detailOf(events, "model server silent")).to.contain("nothing to ask: no input example was logged");
  });

  it("ends with the others, and is found again without asking for its packages", async () => {
    expect((await platform.run(["down"])).code).to.equal(0);
    expect(platform.processes()).to.deep.equal([]);
    const { events, stderr, code } = await platform.run(["up", "--models", "spending", "--once", "--json"], {
      UV_OFFLINE: "1",
    });
    expect(code, stderr).to.equal(0);
    expect(detailOf(events, "Python environment of spending")).to.match(/^Python 3\.1\d\.\d+, unchanged$/);
    expect(platform.processes()).to.deep.equal([]);
    expect(commands, "commands of the page that were not run").to.deep.equal([]);
  });
});
