import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "chai";

import { identify } from "../../cli/ownProcesses";
import { TestPlatform, lastEvent, modelUp, stepEvent } from "./support/platform";

describe("npm run up, killed or with a service that hangs", function () {
  this.timeout(180_000);
  const platform = new TestPlatform();
  after(() => platform.dispose());

  it("finishes when it is run again, in whatever step it was killed", async () => {
    for (const step of [
      "MLflow server",
      "training house-price",
      "model files house-price",
      "model server house-price",
    ]) {
      const command = platform.start(["up", "--detach", "--json"]);
      await command.event(stepEvent(step, "running"));
      command.child.kill("SIGKILL");
      await command.finished();
    }
    const { code, events, stderr } = await platform.run(["up", "--detach", "--json"]);
    expect(code, stderr).to.equal(0);
    // A training that was killed has registered nothing.
    expect(modelUp(events)).to.include({ version: "1" });
    expect(Object.keys(platform.services())).to.have.members(["mlflow", "front", "frontend", "house-price"]);
  });

  it("begins MLflow's database anew that was left half made", async () => {
    const half = new TestPlatform();
    const file = path.join(half.home, "local", "mlflow.db");
    mkdirSync(path.dirname(file));
    const script =
      "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('CREATE TABLE trace_info (id)')";
    execFileSync(path.join(half.home, "env", "tracking", "bin", "python"), ["-c", script, file]);
    const command = half.start(["up", "--once", "--json"]);
    // Training, which begins now, is nothing new.
    await command.event(stepEvent("MLflow server", "done"));
    command.child.kill("SIGINT");
    await command.finished();
    expect(existsSync(`${file}.unfinished`)).to.equal(true);
    await half.dispose();
  });

  it("ends within 10 s of a signal, whatever hangs, and leaves nothing", async () => {
    const other = new TestPlatform();
    const command = other.start(["up", "--once", "--json"]);
    await command.event(stepEvent("training house-price", "running"));
    while (!other.processes().some((line) => line.includes("house_price.train"))) await sleep(20);
    for (const pid of other.started()) process.kill(pid, "SIGSTOP");
    const began = Date.now();
    command.child.kill("SIGTERM");
    const { code } = await command.finished();
    expect(code).to.equal(143);
    expect(Date.now() - began).to.be.lessThan(10_000);
    expect(other.processes()).to.deep.equal([]);
    await other.dispose();
  });

  it("trains anew what has lost its files", async () => {
    for (const folder of ["artifacts", "models"])
      rmSync(path.join(platform.home, "local", folder), { recursive: true });
    const { code, events, stderr } = await platform.run(["up", "--detach", "--json"]);
    expect(code, stderr).to.equal(0);
    expect(modelUp(events)).to.include({ version: "2" });
  });

  it("starts a service anew that hangs, after a while", async () => {
    const hung = platform.services();
    for (const pid of Object.values(hung)) process.kill(-pid, "SIGSTOP");
    const { code, stderr } = await platform.run(["up", "--detach", "--json"]);
    expect(code, stderr).to.equal(0);
    expect(Object.keys(platform.services())).to.have.members(Object.keys(hung));
    for (const pid of Object.values(platform.services())) expect(Object.values(hung)).not.to.include(pid);
    expect(platform.processes().some((line) => line.includes("mlflow server"))).to.equal(true);
  });

  it("is told of by status with exit code 1: a service that is silent, and one that has ended by itself", async () => {
    const { mlflow = 0, "house-price": model = 0 } = platform.services();
    const told = async () => {
      const { code, stdout } = await platform.run(["status", "--json"]);
      const { healthy, services } = JSON.parse(stdout) as { healthy: boolean; services: { state: string }[] };
      return [code, healthy, ...services.map(({ state }) => state)];
    };
    expect(await told()).to.deep.equal([0, true, "answers", "answers", "answers", "answers"]);
    process.kill(-model, "SIGSTOP");
    expect(await told()).to.deep.equal([1, false, "answers", "answers", "silent", "answers"]);
    process.kill(-model, "SIGCONT");
    process.kill(-mlflow, "SIGKILL");
    while (platform.processes().some((line) => line.includes("mlflow server"))) await sleep(20);
    expect(await told()).to.deep.equal([1, false, "ended", "answers", "answers", "answers"]);
    const { stdout } = await platform.run(["status"]);
    expect(stdout).to.match(/MLflow .* ended .* its log ends with: .*\S/);
    expect(stdout).to.contain("Not well: MLflow has ended by itself. It is started anew by: npm run up");
    const again = await platform.run(["up", "--detach"]);
    expect(again.code, again.stderr).to.equal(0);
    expect(platform.services()["house-price"]).to.equal(model);
    expect(await told()).to.deep.equal([0, true, "answers", "answers", "answers", "answers"]);
  });

  it("finds its services where the state file is damaged or gone", async () => {
    const file = path.join(platform.home, "local", "state.json");
    const [whole, services] = [readFileSync(file, "utf8"), platform.services()];
    for (const content of ["", "null", whole.slice(0, 40), whole.replace("made", "other"), undefined]) {
      if (content === undefined) rmSync(file);
      else writeFileSync(file, content);
      const { code, stdout } = await platform.run(["status", "--json"]);
      expect(code, content).to.equal(0);
      const found = (JSON.parse(stdout) as { services: { pid: number }[] }).services.map(({ pid }) => pid);
      const wanted = ["mlflow", "front", "house-price", "frontend"].map((name) => services[name]);
      expect(found, content).to.deep.equal(wanted);
    }
    const again = await platform.run(["up", "--detach"]);
    expect(again.code, again.stderr).to.equal(0);
    expect(platform.services(), "used, and written down again").to.deep.equal(services);
  });

  it("has no other program answer for a service whose port that has got meanwhile", async () => {
    await platform.run(["down"]);
    const command = platform.start(["up", "--detach", "--json"]);
    while (platform.state()["mlflow"] === undefined && command.child.exitCode === null) await sleep(20);
    const { port } = platform.state()["mlflow"] as unknown as { port: number };
    // MLflow listens seconds after it was started.
    const other = createServer((_, response) => response.end("OK"));
    await new Promise<void>((resolve) => other.listen({ host: "127.0.0.1", port }, resolve));
    try {
      const { code, events, stderr } = await command.finished();
      expect(code, stderr).to.equal(0);
      expect(lastEvent(events, "up")["mlflow"]).to.not.contain(`:${port}`);
    } finally {
      other.close();
    }
  });

  it("is not stopped by the commands of a copy of its folder", async () => {
    const copy = new TestPlatform();
    cpSync(path.join(platform.home, "local"), path.join(copy.home, "local"), { recursive: true });
    const status = await copy.run(["status"]);
    expect(status.stdout).to.contain("Nothing is running");
    const down = await copy.run(["down"]);
    expect(down.stdout).to.contain("Nothing was running on this machine");
    await copy.dispose();
    const { healthy } = JSON.parse((await platform.run(["status", "--json"])).stdout) as { healthy: boolean };
    expect(healthy).to.equal(true);
  });

  describe("whose process numbers have gone to others", () => {
    /** Leads a group with a member, which is told; `gone` is dead, and its group is not. */
    const strangers = { there: 0, gone: 0 };
    const members: number[] = [];
    before(async () => {
      for (const name of ["there", "gone"] as const) {
        const stranger = spawn("/bin/sh", ["-c", "sleep 600 & echo $!; wait"], {
          detached: true,
          stdio: ["ignore", "pipe", "ignore"],
        });
        const [line] = (await once(stranger.stdout, "data")) as [Buffer];
        members.push(Number(line.toString()));
        strangers[name] = stranger.pid ?? 0;
      }
    });
    after(() => {
      for (const member of members) process.kill(member, "SIGKILL");
    });

    it("has its own stopped and no other, by down and by the next up", async () => {
      const stopped = await platform.run(["down"]);
      expect(stopped.code).to.equal(0);
      expect(stopped.stdout).to.contain("Kept ");
      expect(platform.processes()).to.deep.equal([]);
      const file = path.join(platform.home, "local", "state.json");
      const service = (pid: number) => ({ identity: identify(pid), made: "", log: "" });
      const ports = { rest: 1, grpc: 1, metrics: 1 };
      const model = { ...service(strangers.gone), name: "m", version: "1", ...ports, behind: ports };
      const services = { mlflow: { ...service(strangers.there), port: 1 }, models: { m: model } };
      process.kill(strangers.gone, "SIGKILL");
      const state = JSON.stringify({ folder: realpathSync(platform.home), services });
      writeFileSync(file, state);
      const down = await platform.run(["down"]);
      expect(down.stdout).to.contain("Nothing was running on this machine");
      writeFileSync(file, state);
      const again = await platform.run(["up", "--once"]);
      expect(again.code, again.stderr).to.equal(0);
      for (const pid of [strangers.there, ...members]) process.kill(pid, 0);
    });
  });
});
