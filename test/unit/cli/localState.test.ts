import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import {
  type LocalState,
  localDir,
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

  it("are of a copy where they name another folder", () => {
    writeFileSync(localDir("state.json"), JSON.stringify({ folder: "/another", services: running }));
    expect(recordedState()).to.deep.equal({});
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
