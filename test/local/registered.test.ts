import { execFileSync } from "node:child_process";
import * as path from "node:path";

import { expect } from "chai";

import { homeDir, projectDir } from "../../cli/paths";
import { type ModelUp, TestPlatform, detailOf, lastEvent } from "./support/platform";

const script = path.join(projectDir, "test", "local", "support", "log_models.py");

describe("a model that somebody else has logged and registered", function () {
  this.timeout(300_000);
  const platform = new TestPlatform();
  /** What its library predicts for the first row of its example. */
  let expected: number;
  let mlflow: string;

  before(async () => {
    const { events, stderr } = await platform.run(["up", "--detach", "--json"]);
    mlflow = String(lastEvent(events, "up")["mlflow"]);
    expect(mlflow, stderr).to.match(/^http/);
    const python = path.join(homeDir(), "env", "tracking", "bin", "python");
    const env = { ...process.env, MLFLOW_TRACKING_URI: mlflow, PYTHONPATH: "" };
    const printed = execFileSync(python, ["-W", "ignore", script], { env, encoding: "utf8", stdio: "pipe" });
    expected = Number(printed.trim().split("\n").at(-1));
  });
  after(() => platform.dispose());

  it("is served beside those of the project, in an environment of what it requires, when its example is answered", async () => {
    const { code, events, stderr } = await platform.run([
      "up",
      "--models",
      "spending,house-price",
      "--detach",
      "--json",
    ]);
    expect(code, stderr).to.equal(0);
    expect(detailOf(events, "registered model spending")).to.equal(
      "version 1, the newest: it has no champion",
    );
    expect(detailOf(events, "model server spending")).to.equal(
      "version 1 serves: 3 rows of its input example answered",
    );
    expect(detailOf(events, "model server house-price")).to.contain("was running");
    const up = (lastEvent(events, "up")["models"] as ModelUp[]).find(({ name }) => name === "spending");
    expect(up?.prediction.value).to.be.closeTo(expected, 1e-6);
    expect(up?.prediction).to.deep.include({ names: ["age", "city", "income", "vip"] });
    expect(Object.keys(platform.services())).to.have.members(["mlflow", "front", "house-price", "spending"]);
    const status = JSON.parse((await platform.run(["status", "--json"])).stdout) as { healthy: boolean };
    expect(status.healthy).to.equal(true);
  });

  it("is asked by its name, by default for its example", async () => {
    const asked = ["predict", "--model", "spending", "--json"];
    const answer = JSON.parse((await platform.run(asked)).stdout) as { data: { ndarray: number[][] } };
    expect(answer.data.ndarray[0]?.[0]).to.be.closeTo(expected, 1e-6);
    const row = '{"age": 30, "city": "Oslo", "income": 50.5, "vip": true}';
    expect((await platform.run(["predict", "--model", "spending", row])).stdout).to.contain("110.");
  });

  it("is refused, with the way out, where it is not there, cannot be served, or may not", async () => {
    const refusal = async (...args: string[]) =>
      (await platform.run(["up", "--detach", "--models", ...args])).stderr;
    expect(await refusal("spendin")).to.contain(
      `there is no model "spendin" (did you mean spending?). There are house-price, `,
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
    expect(Object.keys(platform.services())).to.have.members(["mlflow", "front", "house-price", "spending"]);
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
  });
});
