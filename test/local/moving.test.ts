import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import { mlAppDir, projectDir } from "../../cli/paths";
import type { LoadCounts } from "../e2e/load";
import { type Event, TestPlatform, detailOf, lastEvent, stepEvent } from "./support/platform";

const models = ["house-price", "wine-quality-xgboost"] as const;

/** Clients that ask a model steadily, half of them by connections that they keep. */
class LocalLoad {
  private said = "";

  private constructor(private readonly child: ChildProcess) {
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.said += text));
  }

  static start(platform: TestPlatform, url: string, body: string): LocalLoad {
    const python = path.join(platform.home, "env", "house-price-serve", "bin", "python");
    const script = path.join(projectDir, "test", "e2e", "load.py");
    const env = { PATH: process.env["PATH"], URL: url, BODY: body };
    return new LocalLoad(spawn(python, [script], { env, stdio: ["ignore", "pipe", "inherit"] }));
  }

  /** Waits for the next second's figures. */
  async counts(): Promise<LoadCounts> {
    const lines = () => this.said.split("\n").slice(0, -1);
    const before = lines().length;
    while (lines().length === before) await new Promise((resolve) => setTimeout(resolve, 50));
    return JSON.parse(lines().at(-1) ?? "") as LoadCounts;
  }

  stop(): void {
    this.child.kill("SIGKILL");
  }
}

/** A row of each model in its protocol. */
const bodies = {
  "house-price": { data: { ndarray: [[3, 1.5, 1340, 1340, 7, 1, 0, 5650, 0, 98178]] } },
  "wine-quality-xgboost": {
    inputs: [
      {
        ...{ name: "rows", shape: [1, 11], datatype: "FP64" },
        data: [7.4, 0.7, 0, 1.9, 0.076, 11, 34, 0.9978, 3.51, 0.56, 9.4],
      },
    ],
  },
};

describe("npm run promote and rollback, on the local target", function () {
  this.timeout(240_000);
  const platform = new TestPlatform();
  const urls: Record<string, string> = {};
  after(() => platform.dispose());

  const moved = async (words: readonly string[]) => {
    const { code, events, stderr } = await platform.run([...words, "--json"]);
    expect(code, stderr).to.equal(0);
    return events;
  };
  const versions = async () => {
    const { services } = JSON.parse((await platform.run(["status", "--json"])).stdout) as {
      services: { service: string; detail: string }[];
    };
    return models.map(
      (name) => /^version (\d+)/.exec(services.find(({ service }) => service === name)?.detail ?? "")?.[1],
    );
  };
  const rowsOf = (folder: string) =>
    readFileSync(path.join(mlAppDir, folder, "sample.csv"), "utf8").split("\n");

  it("have two versions of a model on each kind of server", async () => {
    const up = lastEvent(await moved(["up", "--detach", "--models", models.join()]), "up");
    for (const { name, urls: at } of up["models"] as { name: string; urls: { predict: string } }[])
      urls[name] = at.predict;
    for (const [name, folder] of [
      ["house-price", "house_price"],
      ["wine-quality-xgboost", "wine_quality"],
    ] as const) {
      // Of fewer houses or wines less is learnt, so that the first version stays.
      const file = path.join(platform.home, `${name}.csv`);
      writeFileSync(file, rowsOf(folder).slice(0, 400).join("\n"));
      const events = await moved(["up", "--detach", "--models", name, "--data", file]);
      expect(detailOf(events, `training ${name}`)).to.match(/^version 2 is challenger/);
    }
    expect(await versions()).to.deep.equal(["1", "1"]);
  });

  for (const name of models)
    it(`lose no request of ${name}, and keep its address`, async () => {
      const load = LocalLoad.start(platform, urls[name] ?? "", JSON.stringify(bodies[name]));
      try {
        const old = Object.keys((await load.counts()).answers);
        await moved(["promote", name]);
        const promoted = await load.counts();
        const fresh = Object.keys(promoted.answers).filter((answer) => !old.includes(answer));
        expect([old.length, fresh.length], JSON.stringify(promoted)).to.deep.equal([1, 1]);
        await moved(["rollback", name]);
        const left = await load.counts();
        const { outcomes, answers, now } = await load.counts();
        expect(Object.keys(outcomes), JSON.stringify(outcomes)).to.deep.equal(["answered"]);
        expect(answers[old[0] ?? ""]?.last).to.be.greaterThan(now - 1);
        // The server that was left answers nobody any more.
        const key = fresh[0] ?? "";
        expect(answers[key]?.count).to.be.greaterThan(0).and.to.equal(left.answers[key]?.count);
      } finally {
        load.stop();
      }
    });

  it("tell MLflow, so that the next up takes nothing back", async () => {
    const events = await moved(["up", "--detach", "--data", path.join(platform.home, "house-price.csv")]);
    expect(detailOf(events, "training house-price")).to.equal(
      "code and data unchanged since version 2, in whose place somebody has chosen version 1",
    );
    expect(await versions()).to.deep.equal(["1", "1"]);
  });

  it("end in one of the two versions when they are killed and run again", async () => {
    for (const step of ["model server house-price", "answers of house-price"]) {
      const command = platform.start(["promote", "house-price", "2", "--json"]);
      await command.event(stepEvent(step, "running"));
      command.child.kill("SIGKILL");
      await command.finished();
    }
    // Its server serves, and nobody has seen it answer.
    const events = await moved(["promote", "house-price"]);
    expect(detailOf(events, "answers of house-price")).to.match(/^\d+ answers, each of them right$/);
    expect(detailOf(events, "earlier run")).to.match(/^was killed; stopping what it has left/);
    const again = lastEvent(events, "promote");
    expect(again).to.include({ version: 2, changed: true });
    expect((await versions())[0]).to.equal("2");
    // The sample, on which version 1 was trained and is better.
    const up = await moved(["up", "--detach"]);
    expect(detailOf(up, "training house-price")).to.match(/in whose place somebody has chosen version 2$/);
    const once = lastEvent(await moved(["promote", "house-price", "2"]), "promote");
    expect(once).to.include({ version: 2, changed: false });
    expect(await moved(["rollback", "house-price"])).to.satisfy((events: Event[]) =>
      events.some((event) => event["event"] === "rollback" && event["version"] === 1 && event["from"] === 2),
    );
  });

  it("go on with what serves where the other version cannot", async () => {
    const kept = path.join(platform.home, "local", "models", "house-price");
    for (const folder of readdirSync(kept).filter((one) => one.startsWith("2-")))
      writeFileSync(path.join(kept, folder, "model.skops"), "damaged");
    const { code, stderr } = await platform.run(["promote", "house-price", "2"]);
    expect(code).to.equal(1);
    expect(stderr).to.contain("version 2 of house-price is not in service");
    expect(stderr).to.contain("In service as before: version 1. The registry was told nothing.");
    expect(await versions()).to.deep.equal(["1", "1"]);
    const answer = await platform.run(["predict", "--model", "house-price"]);
    expect(answer.stdout).to.contain("house-price version 1, local");
  });

  it("are refused where nothing of that name runs, or nothing is to be done", async () => {
    for (const [words, said] of [
      [
        ["promote", "house-prise", "--target", "local"],
        "no model house-prise runs here (did you mean house-price?). Start it: npm run up",
      ],
      [["promote", "house-price", "9"], "house-price has no version 9. It has:"],
      [
        ["promote", "house-price", "--branch"],
        "--branch writes the lock of a stack, and this machine has none",
      ],
    ] as const) {
      const { code, stderr } = await platform.run(words);
      expect(stderr).to.contain(said);
      expect(code).to.equal(1);
    }
  });
});
