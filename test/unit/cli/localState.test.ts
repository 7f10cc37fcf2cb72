import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { writeTaken } from "../../../cli/local/front/routes";
import {
  type LocalState,
  localDir,
  readState,
  recordedState,
  runningModel,
  serviceMark,
  writeState,
} from "../../../cli/local/state";
import { runningUp, takeTurn } from "../../../cli/local/turns";
import { identify, ownFolder, stop } from "../../../cli/ownProcesses";
import { Service } from "../../../cli/process";

/** Contents of a file that is JSON, and not of the file's shape. */
const misfits = () => {
  const folder = ownFolder();
  return ["{}", "[]", "5", JSON.stringify({ folder }), JSON.stringify({ folder: 5 })];
};

describe("the files of the local target", () => {
  const home = process.env["MLPLATFORM_HOME"];
  const log = () => localDir("log");
  let service: Service;
  let running: LocalState;

  before(async () => {
    process.env["MLPLATFORM_HOME"] = mkdtempSync(path.join(tmpdir(), "mlplatform-state-"));
    mkdirSync(localDir());
    const mlflow = { made: "so", log: log(), port: 5050 };
    const command = { name: "mlflow", file: "/bin/sleep", args: ["60"], env: serviceMark({ mlflow }) };
    service = await Service.start({ ...command, log: log() });
    running = { mlflow: { identity: service.identity, ...mlflow } };
  });
  after(async () => {
    await stop(service.identity);
    if (home === undefined) delete process.env["MLPLATFORM_HOME"];
    else process.env["MLPLATFORM_HOME"] = home;
  });

  it("tell what runs", () => {
    writeState(running);
    const written = readFileSync(localDir("state.json"), "utf8");
    expect(recordedState()).to.deep.equal(running);
    expect(readFileSync(localDir("state.json"), "utf8")).to.equal(written);
  });

  it("are damaged where they are of another shape: the services are found again", () => {
    const services = [
      null,
      [],
      { mlflow: {} },
      { mlflow: null },
      { mlflow: { ...running.mlflow, port: "x" } },
    ];
    const folder = ownFolder();
    for (const content of [
      ...misfits(),
      ...services.map((some) => JSON.stringify({ folder, services: some })),
    ]) {
      writeFileSync(localDir("state.json"), content);
      expect(recordedState(), content).to.deep.equal(running);
      expect(JSON.parse(readFileSync(localDir("state.json"), "utf8")), content).to.deep.equal({
        folder,
        services: running,
      });
    }
  });

  it("tell of no model that is called as what every object has", () => {
    writeState(running);
    for (const name of ["constructor", "toString", "__proto__"])
      expect(runningModel(name)).to.equal(undefined);
  });

  it("are not believed where what runs says otherwise", () => {
    const { mlflow } = running;
    if (mlflow === undefined) throw new Error("it runs");
    const front = { identity: mlflow.identity, made: "so", log: log() };
    const ended = { mlflow: { ...mlflow, identity: { pid: 4_000_000, started: "once" } } };
    for (const services of [{}, { front }, { mlflow: { ...mlflow, port: 5051 } }, ended]) {
      writeState(services);
      expect(recordedState(), JSON.stringify(services)).to.deep.equal(running);
    }
    // What has ended is told by the file alone.
    writeState({ front: { ...front, identity: ended.mlflow.identity } });
    expect(recordedState()).to.deep.equal({
      ...running,
      front: { ...front, identity: ended.mlflow.identity },
    });
    expect(readState()).to.deep.equal(running);
  });

  it("tell of a model's server that they do not name once the front leads to it", async () => {
    const described = {
      ...{ name: "wine", version: "2", made: "so", log: log(), protocol: "seldon" as const },
      ...{ rest: 9000, grpc: 5000, metrics: 6000, behind: { rest: 19000, grpc: 15000, metrics: 16000 } },
    };
    const sleeping = { file: "/bin/sleep", args: ["60"], log: log() };
    const begin = (name: string, mark: Record<string, string>) =>
      Service.start({ ...sleeping, name, env: mark });
    const server = await begin("wine", serviceMark({ model: described }));
    const model = { identity: server.identity, ...described };
    const leader = await begin("front", serviceMark({ front: { made: "so", log: log() } }));
    const front = { identity: leader.identity, made: "so", log: log() };
    try {
      writeState(running);
      // It is about to come into service, perhaps.
      writeTaken(localDir("front"), { routes: { 9000: 19001 }, refused: {} });
      expect(recordedState()).to.deep.equal({ ...running, front });
      writeTaken(localDir("front"), { routes: { 9000: 19000 }, refused: {} });
      expect(recordedState()).to.deep.equal({ ...running, front, models: { wine: model } });
      // Where people ask it, and its score, it has got since.
      const moved = { ...model, rest: 9001, score: { name: "R²", value: 0.5 } };
      writeState({ ...running, front, models: { wine: { ...moved, version: "1" } } });
      expect(recordedState()).to.deep.equal({ ...running, front, models: { wine: moved } });
      await stop(leader.identity);
      writeState(running);
      expect(recordedState()).to.deep.equal(running);
    } finally {
      await Promise.all([server, leader].map(({ identity }) => stop(identity)));
    }
  });

  it("are of a copy where they name another folder", () => {
    const services = { front: { identity: identify(process.pid), made: "so", log: log() } };
    writeFileSync(localDir("state.json"), JSON.stringify({ folder: "/another", services }));
    expect(recordedState()).to.deep.equal(running);
    writeFileSync(localDir("up.lock"), JSON.stringify({ ...identify(process.pid), folder: "/another" }));
    expect(runningUp()).to.equal(undefined);
  });

  it("lock nothing where the lock is of another shape", () => {
    const folder = ownFolder();
    const others = [
      { folder, pid: 4_000_000 },
      { folder, pid: process.pid },
      { ...identify(process.pid), folder, pid: "x" },
    ];
    for (const content of [...misfits(), ...others.map((other) => JSON.stringify(other))]) {
      writeFileSync(localDir("up.lock"), content);
      expect(runningUp(), content).to.equal(undefined);
      const turn = takeTurn("up");
      expect(runningUp(), content).to.deep.equal(identify(process.pid));
      for (const command of ["up", "promote"] as const)
        expect(() => takeTurn(command)).to.throw(
          `another \`npm run up\` is at work here (process ${process.pid})`,
        );
      turn.end();
    }
  });

  it("let a version come into service beside an up that only keeps what is there, and no second one", () => {
    const up = takeTurn("up");
    up.keep();
    const promote = takeTurn("promote");
    expect(() => takeTurn("promote")).to.throw(
      "another version of a model is just brought into service here",
    );
    up.end();
    expect(() => takeTurn("up")).to.throw("another version of a model is just brought into service here");
    expect(runningUp()).to.equal(undefined);
    promote.end();
    takeTurn("up").end();
  });
});
