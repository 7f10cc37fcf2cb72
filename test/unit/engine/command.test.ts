import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "chai";

import { CommandFailed, engineCommand, killEngines } from "../../../cli/engine/command";
import { asEngine, identify, isRunning, orphans, ownMarks, stop } from "../../../cli/ownProcesses";
import { rejection } from "../support/rejection";
import { Variables, isolated, temporaryFolder } from "./support";

describe("the engine as a command", function () {
  this.timeout(20_000);
  const variables = new Variables();
  let home: string;
  let file: string;

  beforeEach(() => {
    home = temporaryFolder();
    file = path.join(home, "bin", "pulumi");
    variables.set(isolated(home));
  });
  afterEach(() => {
    variables.restore();
    rmSync(home, { recursive: true });
  });

  /** An engine that does what a script says; it finds its version by itself. */
  const engine = async (script: string) => {
    mkdirSync(path.dirname(file));
    writeFileSync(file, `#!/bin/bash\n[ "$1" = version ] && { echo v3.250.0; exit; }\n${script}\n`, {
      mode: 0o755,
    });
    return engineCommand({ file, version: "3.250.0", origin: "own" });
  };
  const text = (name: string) => readFileSync(path.join(home, name), "utf8");
  const appears = async (name: string) => {
    // A file is there before what it is to hold.
    const there = () => existsSync(path.join(home, name)) && text(name) !== "";
    for (let left = 200; left > 0 && !there(); left -= 1) await sleep(25);
    return text(name);
  };
  const group = (pid: number) =>
    Number(execFileSync("ps", ["-o", "pgid=", "-p", String(pid)], { encoding: "utf8" }));

  it("runs without questions, in the folder and with the variables that it is given", async () => {
    const command = await engine(
      'echo "$@"; echo "$PWD $GIVEN $PULUMI_AUTOMATION_API $PULUMI_SKIP_UPDATE_CHECK" >&2',
    );
    const heard: string[] = [];
    const written = await command.run(
      ...([["stack", "ls"], home, { GIVEN: "given" }] as const),
      (out) => heard.push(out),
      (err) => heard.push(err),
    );
    expect(written).to.deep.equal({
      stdout: "stack ls --non-interactive\n",
      stderr: `${home} given true true\n`,
    });
    expect(heard.sort()).to.deep.equal([written.stderr, written.stdout]);
  });

  it("is told once not to ask", async () => {
    const command = await engine('echo "$@"');
    const { stdout } = await command.run(["up", "--non-interactive"], home, {});
    expect(stdout).to.equal("up --non-interactive\n");
  });

  it("finds beside it what belongs to it", async () => {
    const command = await engine('echo "$PATH"');
    expect((await command.run(["x"], home, {})).stdout).to.equal(
      `${path.dirname(file)}:${process.env["PATH"] ?? ""}\n`,
    );
    expect((await command.run(["x"], home, { PATH: "/bin" })).stdout).to.equal(
      `${path.dirname(file)}:/bin\n`,
    );
  });

  it("fails with how it ended and all that it wrote", async () => {
    const command = await engine('echo out; echo "error: no" >&2; exit 3');
    const error = await rejection(command.run(["stack", "init", "dev"], home, {}));
    expect(error).to.be.instanceOf(CommandFailed);
    expect(error.message).to.equal("pulumi stack init: exit code 3\nerror: no\nout");
    expect(error).to.deep.include({
      how: "exit code 3",
      written: { stdout: "out\n", stderr: "error: no\n" },
    });
  });

  it("fails where there is no such program any more", async () => {
    const command = await engine("");
    rmSync(file);
    const error = await rejection(command.run(["up"], home, {}));
    expect(error.message).to.match(/^pulumi up: exit code 127\n.*not found/);
  });

  it("is asked to stop once, and may then come to an end", async () => {
    const command = await engine(
      "trap 'echo asked >> asked' INT; echo $$ > pid; " +
        "for i in {1..100}; do [ -e asked ] && break; sleep 0.05; done; sleep 0.4; cat asked",
    );
    const controller = new AbortController();
    const running = command.run(["up"], home, {}, undefined, undefined, controller.signal);
    const pid = Number(await appears("pid"));
    expect(group(pid), "a group of its own").to.equal(pid);
    expect(pid).to.not.equal(process.pid);
    controller.abort(new Error("stop"));
    controller.abort(new Error("stop at once"));
    expect((await running).stdout).to.equal("asked\n");
  });

  it("does not begin where it was told to stop before", async () => {
    const command = await engine("touch begun");
    const stopped = AbortSignal.abort(new Error("stop"));
    const error = await rejection(command.run(["up"], home, {}, undefined, undefined, stopped));
    expect(error).to.be.instanceOf(CommandFailed);
    expect(error.message).to.equal("pulumi up: stopped before it began");
    await sleep(200);
    expect(existsSync(path.join(home, "begun"))).to.equal(false);
  });

  describe("that is killed", () => {
    // It tells its number when it has its group.
    const script = "setsid sh -c 'echo $$ > plugin; exec sleep 30' & echo $$ > pid; wait";
    const begun = async () => {
      const [pid, plugin] = [Number(await appears("pid")), Number(await appears("plugin"))];
      expect(group(plugin), "a group of its own").to.equal(plugin);
      return { pid, plugin };
    };

    it("takes with it the plugins that have groups of their own", async () => {
      const command = await engine(script);
      const running = rejection(command.run(["up"], home, {}));
      const { pid, plugin } = await begun();
      process.kill(pid, "SIGKILL");
      expect((await running).message).to.equal("pulumi up: SIGKILL");
      expect(identify(plugin)).to.equal(undefined);
    });

    it("because it does not stop when it is told to takes them with it, all within 10 s", async () => {
      const command = await engine(`trap '' INT; ${script.replace("exec sleep", 'trap "" TERM; sleep')}`);
      const controller = new AbortController();
      const running = rejection(command.run(["up"], home, {}, undefined, undefined, controller.signal));
      const { pid, plugin } = await begun();
      const began = Date.now();
      controller.abort(new Error("stop"));
      expect((await running).message).to.equal("pulumi up: SIGKILL");
      expect(Date.now() - began).to.be.within(3_000, 9_000);
      expect([identify(pid), identify(plugin)]).to.deep.equal([undefined, undefined]);
    });

    it("at once takes them with it at once", async () => {
      const command = await engine(script);
      const running = rejection(command.run(["up"], home, {}));
      const { plugin } = await begun();
      killEngines();
      // It holds an end of the engine's pipes.
      await running;
      expect(identify(plugin)).to.equal(undefined);
    });

    it("leaves them where nobody looks on; they are found then, and not before", async () => {
      await engine(script);
      const env = { ...process.env, ...ownMarks(false) };
      const started = spawn(...asEngine(file, ["up"]), { cwd: home, env, detached: true });
      const { pid, plugin } = await begun();
      expect(pid).to.equal(started.pid);
      expect(orphans()).to.deep.equal([]);
      const ended = new Promise((resolve) => started.once("exit", resolve));
      process.kill(pid, "SIGKILL");
      await ended;
      expect(orphans()).to.deep.equal([identify(plugin)]);
      await Promise.all(orphans().map(stop));
      expect(identify(plugin)).to.equal(undefined);
    });
  });

  it("is ended at once with all its plugins, and then is none to be ended", async () => {
    const command = await engine("trap '' INT TERM; sleep 30 & echo $! > plugin; echo $$ > pid; wait");
    const running = rejection(command.run(["up"], home, {}));
    const [pid, plugin] = [Number(await appears("pid")), Number(await appears("plugin"))];
    const child = identify(plugin);
    expect(child).to.not.equal(undefined);
    expect(group(plugin)).to.equal(pid);
    killEngines();
    expect((await running).message).to.equal("pulumi up: SIGKILL");
    expect(identify(pid)).to.equal(undefined);
    expect(child && isRunning(child)).to.equal(false);
    killEngines();
  });
});
