import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import * as path from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "chai";

import { isFree } from "../../cli/ports";
import { houses } from "./support/houses";
import { TestPlatform, detailOf, lastEvent, modelUp, stepEvent } from "./support/platform";

describe("npm run up, on the local target", function () {
  this.timeout(180_000);
  const platform = new TestPlatform();
  after(() => platform.dispose());

  it("trains, serves and predicts once, and leaves no process, whatever the user's shell is set to", async () => {
    const nobody = "http://127.0.0.1:1";
    const theirs = {
      ...{
        HTTP_PROXY: nobody,
        http_proxy: nobody,
        NODE_USE_ENV_PROXY: "1",
        MLFLOW_REGISTRY_URI: nobody,
        MLFLOW_RUN_ID: "theirs",
      },
      ...{ UVICORN_PORT: "1", PREDICTIVE_UNIT_ID: "theirs", PYTHONHOME: "/nowhere" },
      ...{
        MLFLOW_TRACKING_TOKEN: "theirs",
        DATABRICKS_HOST: nobody,
        GIT_COMMIT: "theirs",
        AWS_ENDPOINT_URL: nobody,
      },
      ...{ STREAMLIT_SERVER_PORT: "1", MLSERVER_HTTP_PORT: "1", NODE_OPTIONS: "--no-warnings" },
      ...{ PYTHONINSPECT: "1", PYTHONIOENCODING: "utf-16", PYTHONHASHSEED: "abc", PYTHONUTF8: "7" },
    };
    const { code, events, stderr } = await platform.run(["up", "--once", "--json"], theirs);
    expect(code, stderr).to.equal(0);
    expect(lastEvent(events, "target")).to.include({ target: "local" });
    expect(lastEvent(events, "target")["reason"]).to.contain("no Kubernetes cluster");
    const up = modelUp(events);
    expect(up.version).to.equal("1");
    expect(up.testScore).to.be.within(0.5, 0.9);
    expect(up.prediction.value).to.be.within(100_000, 1_000_000);
    expect(up.prediction.metrics).to.deep.include({
      type: "GAUGE",
      key: "house_price_last_prediction",
      value: up.prediction.value,
    });
    expect(platform.processes()).to.deep.equal([]);
    expect(platform.services()).to.deep.equal({});
  });

  it("reports a failed training with the reason that training gives", async () => {
    const [header = "", row = ""] = houses().split("\n");
    const file = path.join(platform.home, "equal.csv");
    writeFileSync(file, [header, ...Array<string>(8).fill(row)].join("\n"));
    const { code, stderr } = await platform.run(["up", "--once", "--data", file]);
    expect(code).to.equal(1);
    expect(stderr).to.contain("training house-price: it failed (exit code 2)");
    expect(stderr).to.contain("8 rows, of which 1 differ, leave 0 to train on");
    expect(stderr).to.contain("price is 160000 in every row: there is nothing to predict");
    expect(platform.processes()).to.deep.equal([]);
  });

  it("stays in the foreground until Ctrl-C; meanwhile predict and status answer, and a second up is refused", async () => {
    const command = platform.start(["up", "--json"]);
    const told = await command.event(({ event }) => event === "up");
    const up = modelUp([told]);

    const predicted = await platform.run(["predict", "--json"]);
    const answer = JSON.parse(predicted.stdout) as { data: { ndarray: number[] } };
    expect(answer.data.ndarray).to.deep.equal([up.prediction.value]);

    const header = "zipcode,bedrooms,bathrooms,sqft_living,sqft_above,grade,floors,view,sqft_lot,waterfront";
    writeFileSync(path.join(platform.home, "rows.csv"), `${header}\n98178,3,1.5,1340,1340,7,1,0,5650,0\n`);
    const fromFile = await platform.run(["predict", "--csv", "rows.csv"]);
    expect(fromFile.stdout).to.contain(
      up.prediction.value.toLocaleString("en-US", { maximumFractionDigits: 2 }),
    );

    // fetch asks no port 6000, as browsers do not.
    const [metrics] = (await once(get(up.urls.metrics), "response")) as [Readable];
    expect(await text(metrics)).to.match(/house_price_predictions_total\{[^}]*model_name="house-price"/);

    const grpc = await platform.run(["predict", "--url", up.urls.grpc]);
    expect(grpc.stderr).to.contain("speaks gRPC (HTTP/2), not REST");

    const status = JSON.parse((await platform.run(["status", "--json"])).stdout) as {
      services: { service: string; address: string }[];
    };
    expect(status).to.include({ healthy: true, up: command.child.pid });

    const frontend = String(told["frontend"]);
    expect(status.services.find(({ service }) => service === "front end")?.address).to.equal(frontend);
    expect(await (await fetch(frontend)).text()).to.contain("Streamlit");
    const listed = readFileSync(path.join(platform.home, "local", "frontend", "models.json"), "utf8");
    const [model, ...others] = (JSON.parse(listed) as { models: Record<string, unknown>[] }).models;
    expect(others).to.deep.equal([]);
    expect(model).to.deep.include({ name: "house-price", version: "1", protocol: "seldon" });
    expect(model?.["score"]).to.deep.equal({ name: "R²", value: up.testScore });
    const described = await fetch(`${String(model?.["address"])}/api/v1.0/metadata`);
    expect((await described.json()) as object).to.have.nested.property("custom.example");

    const second = await platform.run(["up", "--once"]);
    expect(second.code).to.equal(1);
    expect(second.stderr).to.contain(
      `another \`npm run up\` is at work here (process ${String(command.child.pid)})`,
    );

    command.child.kill("SIGINT");
    const { code, events } = await command.finished();
    expect(code).to.equal(0);
    expect(platform.processes()).to.deep.equal([]);
    // The second time it trains nothing, and serves the same version.
    expect(detailOf(events, "training house-price")).to.equal("code and data unchanged since version 1");
    expect(detailOf(events, "model files house-price")).to.contain("was fetched");
    expect(up.version).to.equal("1");
  });

  it("cleans up after Ctrl-C during each step, and finishes when it is run again, with what is best on the data that are asked for", async () => {
    const data = path.join(platform.home, "houses.csv");
    writeFileSync(data, houses());
    const trainings: unknown[] = [];
    for (const step of ["MLflow server", "training house-price", "model server house-price"]) {
      const command = platform.start(["up", "--once", "--json", "--data", data]);
      await command.event(stepEvent(step, "running"));
      command.child.kill("SIGINT");
      const interrupted = await command.finished();
      expect(interrupted.code, step).to.equal(130);
      expect(lastEvent(interrupted.events, "error")["message"]).to.contain("run the same command again");
      expect(platform.processes(), step).to.deep.equal([]);
      trainings.push(detailOf(interrupted.events, "training house-price"));
    }
    // What failed above, or was ended, has registered nothing.
    expect(trainings.at(-1)).to.match(
      /^version 2 is champion, .*version 1 \(trained on other data, sample\), reaches/,
    );
    const again = await platform.run(["up", "--once", "--json", "--data", data]);
    expect(again.code, again.stderr).to.equal(0);
    expect(modelUp(again.events)).to.have.property("prediction");
    expect(modelUp(again.events).version).to.equal("2");
  });

  it("finds what a killed up has left running; tells a crash of a service with its reason and its last lines", async () => {
    const killed = platform.start(["up", "--json"]);
    const back = modelUp([await killed.event(({ event }) => event === "up")]);
    const left = platform.services();
    killed.child.kill("SIGKILL");
    expect(detailOf((await killed.finished()).events, "training house-price")).to.match(
      /^code and data unchanged since version 1, which is champion again: .*version 2/,
    );
    expect(back.version).to.equal("1");
    expect(Object.keys(left)).to.have.members(["mlflow", "front", "frontend", "house-price"]);

    const command = platform.start(["up", "--json"]);
    await command.event(({ event }) => event === "up");
    expect(platform.services()).to.deep.equal(left);
    process.kill(left["house-price"] ?? 0, "SIGKILL");
    const { code, stderr } = await command.finished();
    expect(code).to.equal(1);
    expect(stderr).to.match(/house-price has ended by itself\. Its last lines:\n.*\n/);
    expect(stderr).to.contain("house-price.log");
    expect(platform.processes()).to.deep.equal([]);
  });

  it("cleans up when nobody reads its output any more", async () => {
    const command = platform.start(["up", "--json"]);
    await command.event(stepEvent("MLflow server", "running"));
    command.child.stdout?.destroy();
    await command.finished();
    expect(platform.processes()).to.deep.equal([]);
  });

  it("does not put a damaged model into service", async () => {
    const models = path.join(platform.home, "local", "models", "house-price");
    for (const version of readdirSync(models))
      writeFileSync(path.join(models, version, "model.skops"), "damaged");

    const broken = await platform.run(["up", "--once"]);
    expect(broken.code).to.equal(1);
    expect(broken.stderr).to.contain("model server house-price: it ended (exit code 1)");
    expect(broken.stderr).to.contain("not a readable skops file");
    expect(platform.processes()).to.deep.equal([]);
  });

  it("mends it by running again, on a port that was asked for, and refuses one that is not free", async () => {
    // None that the kernel hands out: nobody gets it by chance between these runs.
    let port = 9_100;
    while (!(await isFree(port))) port += 1;
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen({ host: "127.0.0.1", port }, resolve));
    try {
      const refused = await platform.run(["up", "--once", "--rest-port", String(port)]);
      expect(refused.code).to.equal(1);
      expect(refused.stderr).to.contain(`port ${port} is in use on 127.0.0.1`);
      expect(platform.processes()).to.deep.equal([]);
    } finally {
      blocker.close();
    }
    const twice = ["--rest-port", String(port), "--grpc-port", String(port)];
    expect((await platform.run(["up", "--once", ...twice])).stderr).to.match(
      new RegExp(`Error: port ${port} is asked for twice\\. Choose`),
    );
    const wanted = ["--rest-port", String(port), "--no-frontend"];
    const again = await platform.run(["up", "--once", "--json", ...wanted]);
    expect(again.code, again.stderr).to.equal(0);
    expect(lastEvent(again.events, "up")).not.to.have.property("frontend");
    expect(modelUp(again.events).urls.predict).to.contain(`:${port}/predict`);
  });

  it("removes the data when told to", async () => {
    const refused = await platform.run(["down", "--data", "--yes"]);
    expect([refused.code, refused.stderr.includes("add --confirm local")]).to.deep.equal([1, true]);
    const { stdout } = await platform.run(["down", "--data", "--confirm", "local"]);
    expect(stdout).to.contain("Removed ");
    const status = await platform.run(["status"]);
    expect(status.stdout).to.contain("Nothing is running");
  });
});

describe("npm run up, on a machine that has nothing yet", function () {
  this.timeout(300_000);
  const platform = new TestPlatform({ shareEnvironments: false });
  after(() => platform.dispose());

  it("cleans up after Ctrl-C during the installation, and after kill -9; run again, it finishes", async () => {
    const killed = platform.start(["up", "--once", "--json"]);
    await killed.event(stepEvent("Python environment tracking", "running"));
    while (platform.processes().length === 0) await sleep(20);
    killed.child.kill("SIGKILL");
    await killed.finished();
    expect(platform.processes(), "goes on without it").not.to.deep.equal([]);

    const command = platform.start(["up", "--once", "--json"]);
    await command.event(stepEvent("Python environment tracking", "running"));
    command.child.kill("SIGINT");
    expect((await command.finished()).code).to.equal(130);
    expect(platform.processes()).to.deep.equal([]);

    const again = await platform.run(["up", "--once", "--json"], {
      ...{ PIP_USER: "1", PIP_TARGET: "/nowhere", PYTHONHASHSEED: "abc" },
      ...{ UV_WORKING_DIR: "/nowhere", UV_PROJECT: "/nowhere", UV_CONFIG_FILE: "/nowhere" },
    });
    expect(again.code, again.stderr).to.equal(0);
    expect(detailOf(again.events, "Python environment tracking")).to.contain("installed");
    expect(modelUp(again.events)).to.have.property("prediction");
  });

  it("makes an environment anew whose interpreter or packages are gone, or damaged", async () => {
    const env = (...parts: string[]) => path.join(platform.home, "env", ...parts);
    rmSync(env("tracking", "bin", "python"));
    const [python = ""] = readdirSync(env("house-price-serve", "lib"));
    rmSync(env("house-price-serve", "lib", python, "site-packages", "flask"), { recursive: true });
    const cut = env("frontend", "lib", python, "site-packages", "streamlit", "web", "cli.py");
    // Not the one that uv keeps, which is the same file.
    rmSync(cut);
    writeFileSync(cut, "import");
    const command = platform.start(["up", "--once", "--json"]);
    const names = ["tracking", "house-price-serve", "frontend"];
    await Promise.all(names.map((name) => command.event(stepEvent(`Python environment ${name}`, "done"))));
    // The test before has shown that the platform works with what is then there.
    command.child.kill("SIGINT");
    const { events } = await command.finished();
    for (const name of names) {
      expect(detailOf(events, `Python environment ${name}`), name).to.contain("installed");
      if (name !== "frontend") execFileSync(env(name, "bin", "python"), ["-c", "import flask"]);
    }
    expect(readFileSync(cut, "utf8")).to.contain("import click");
  });
});
