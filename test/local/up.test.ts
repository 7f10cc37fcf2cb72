import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "chai";

import { houses } from "./support/houses";
import { TestPlatform, detailOf, lastEvent, modelUp, stepEvent } from "./support/platform";

describe("npm run up, on the local target", function () {
  this.timeout(180_000);
  const platform = new TestPlatform();
  after(() => platform.dispose());

  it("trains, serves and predicts once, and leaves no process, whatever the user's shell is set to", async () => {
    const nobody = "http://127.0.0.1:1";
    const theirs = {
      ...{ HTTP_PROXY: nobody, http_proxy: nobody, MLFLOW_REGISTRY_URI: nobody, MLFLOW_RUN_ID: "theirs" },
      ...{ UVICORN_PORT: "1", PREDICTIVE_UNIT_ID: "theirs", PYTHONHOME: "/nowhere" },
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

  it("trains nothing the second time, and serves the same version", async () => {
    const { code, events, stderr } = await platform.run(["up", "--once", "--json"]);
    expect(code, stderr).to.equal(0);
    expect(detailOf(events, "training house-price")).to.contain("unchanged since version 1");
    expect(detailOf(events, "model files house-price")).to.contain("was fetched");
    expect(modelUp(events).version).to.equal("1");
  });

  it("cleans up after Ctrl-C during each step, and finishes when it is run again", async () => {
    // Other data, so that there is something to train.
    const data = path.join(platform.home, "houses.csv");
    writeFileSync(data, houses());
    for (const step of ["MLflow server", "training house-price", "model server house-price"]) {
      const command = platform.start(["up", "--once", "--json", "--data", data]);
      await command.event(stepEvent(step, "running"));
      command.child.kill("SIGINT");
      const interrupted = await command.finished();
      expect(interrupted.code, step).to.equal(130);
      expect(lastEvent(interrupted.events, "error")["message"]).to.contain("run the same command again");
      expect(platform.processes(), step).to.deep.equal([]);
    }
    const again = await platform.run(["up", "--once", "--json", "--data", data]);
    expect(again.code, again.stderr).to.equal(0);
    expect(modelUp(again.events)).to.have.property("prediction");
  });

  it("stays in the foreground until Ctrl-C; meanwhile predict and status answer, and a second up is refused", async () => {
    const command = platform.start(["up", "--json"]);
    const up = modelUp([await command.event(({ event }) => event === "up")]);

    const predicted = await platform.run(["predict", "--json"]);
    const answer = JSON.parse(predicted.stdout) as { data: { ndarray: number[] } };
    expect(answer.data.ndarray).to.deep.equal([up.prediction.value]);

    const header = "zipcode,bedrooms,bathrooms,sqft_living,sqft_above,grade,floors,view,sqft_lot,waterfront";
    writeFileSync(path.join(platform.home, "rows.csv"), `${header}\n98178,3,1.5,1340,1340,7,1,0,5650,0\n`);
    const fromFile = await platform.run(["predict", "--csv", "rows.csv"]);
    expect(fromFile.stdout).to.contain(
      up.prediction.value.toLocaleString("en-US", { maximumFractionDigits: 2 }),
    );

    const grpc = await platform.run(["predict", "--url", up.urls.grpc]);
    expect(grpc.stderr).to.contain("speaks gRPC (HTTP/2), not REST");

    const status = JSON.parse((await platform.run(["status", "--json"])).stdout) as Record<string, unknown>;
    expect(status).to.include({ healthy: true, up: command.child.pid });

    const second = await platform.run(["up", "--once"]);
    expect(second.code).to.equal(1);
    expect(second.stderr).to.contain(
      `another \`npm run up\` is at work here (process ${String(command.child.pid)})`,
    );

    command.child.kill("SIGINT");
    expect((await command.finished()).code).to.equal(0);
    expect(platform.processes()).to.deep.equal([]);
  });

  it("finds what a killed up has left running, and down stops it", async () => {
    const command = platform.start(["up", "--json"]);
    await command.event(({ event }) => event === "up");
    const left = platform.services();
    command.child.kill("SIGKILL");
    await command.finished();
    expect(Object.keys(left)).to.have.members(["mlflow", "house-price"]);

    const again = await platform.run(["up", "--detach", "--json"]);
    expect(again.code, again.stderr).to.equal(0);
    expect(platform.services()).to.deep.equal(left);

    const down = await platform.run(["down"]);
    expect(down.code).to.equal(0);
    expect(down.stdout).to.contain("Kept ");
    expect(platform.processes()).to.deep.equal([]);
  });

  it("cleans up when nobody reads its output any more", async () => {
    const command = platform.start(["up", "--json"]);
    await command.event(stepEvent("MLflow server", "running"));
    command.child.stdout?.destroy();
    await command.finished();
    expect(platform.processes()).to.deep.equal([]);
  });

  it("tells a crash of a service with its reason and the last lines of its log", async () => {
    const command = platform.start(["up", "--json"]);
    await command.event(({ event }) => event === "up");
    process.kill(platform.services()["house-price"] ?? 0, "SIGKILL");
    const { code, stderr } = await command.finished();
    expect(code).to.equal(1);
    expect(stderr).to.match(/house-price has ended by itself\. Its last lines:\n.*\n/);
    expect(stderr).to.contain("house-price.log");
    expect(platform.processes()).to.deep.equal([]);
  });

  it("does not put a damaged model into service, and mends it by running again", async () => {
    const models = path.join(platform.home, "local", "models", "house-price");
    for (const version of readdirSync(models))
      writeFileSync(path.join(models, version, "model.skops"), "damaged");

    const broken = await platform.run(["up", "--once"]);
    expect(broken.code).to.equal(1);
    expect(broken.stderr).to.contain("model server house-price: it ended (exit code 1)");
    expect(broken.stderr).to.contain("not a readable skops file");
    expect(platform.processes()).to.deep.equal([]);

    const again = await platform.run(["up", "--once"]);
    expect(again.code, again.stderr).to.equal(0);
  });

  it("takes free ports where its own are in use, and refuses one that was asked for and is not free", async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen({ host: "127.0.0.1", port: 0 }, resolve));
    const { port } = blocker.address() as { port: number };
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
    const chosen = await platform.run(["up", "--once", "--json", "--rest-port", String(port)]);
    expect(modelUp(chosen.events).urls.predict).to.contain(`:${port}/predict`);
  });

  it("brings up the models that are named, and refuses what is none", async () => {
    const wrong = await platform.run(["up", "--once", "--models", "house-prise,other"]);
    expect(wrong.stderr).to.match(
      /--models: there is no model "house-prise" \(did you mean house-price\?\), "other"\. There are house-price, .*; or say all\./,
    );
    const { code, events, stderr } = await platform.run(["up", "--once", "--json", "--models", "all"]);
    expect(code, stderr).to.equal(0);
    expect(modelUp(events).version).to.equal("1");
  });

  it("reports a failed training with the reason that training gives", async () => {
    const data = path.join(platform.home, "bad.csv");
    writeFileSync(data, "bedrooms,price\n3,many\n");
    const { code, stderr } = await platform.run(["up", "--once", "--data", data]);
    expect(code).to.equal(1);
    expect(stderr).to.contain("training house-price: it failed (exit code 2)");
    expect(stderr).to.contain("sqft_living");
    expect(platform.processes()).to.deep.equal([]);
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

  it("makes an environment anew whose interpreter or packages are gone", async () => {
    const env = (...parts: string[]) => path.join(platform.home, "env", ...parts);
    rmSync(env("tracking", "bin", "python"));
    const [python = ""] = readdirSync(env("house-price-serve", "lib"));
    rmSync(env("house-price-serve", "lib", python, "site-packages", "flask"), { recursive: true });
    const { code, events, stderr } = await platform.run(["up", "--once", "--json"]);
    expect(code, stderr).to.equal(0);
    for (const name of ["tracking", "house-price-serve"])
      expect(detailOf(events, `Python environment ${name}`), name).to.contain("installed");
  });
});
