import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "chai";

import { Interrupted, UserError } from "../../../cli/errors";
import { PortChoice } from "../../../cli/local/portChoice";
import { readTrainingResult } from "../../../cli/local/training";
import { choosePort } from "../../../cli/ports";
import {
  type ProcessIdentity,
  identify,
  isOurs,
  isRunning,
  leftBehind,
  signalOwn,
  stop,
} from "../../../cli/ownProcesses";
import { projectDir } from "../../../cli/paths";
import { processTable } from "../../../cli/processTable";
import { Service, run } from "../../../cli/process";
import { findPython } from "../../../cli/interpreter";
import { Environment, Environments } from "../../../cli/python";
import { dataAccess, installHere } from "../../../cli/surroundings";
import { rejection } from "../support/rejection";

const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-machine-"));
const never = new AbortController().signal;
const shell = (script: string, log = path.join(folder, "log")) => ({
  name: "script",
  file: "/bin/sh",
  args: ["-c", script],
  log,
});

describe("choosing a port", () => {
  it("takes the preferred port unless it is in use or promised", async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen({ host: "127.0.0.1", port: 0 }, resolve));
    const { port } = blocker.address() as { port: number };
    const taken = new Set<number>();
    expect(await choosePort(port, taken)).not.to.equal(port);
    await new Promise((resolve) => blocker.close(resolve));
    expect(await choosePort(port, taken)).to.equal(port);
    expect(await choosePort(port, taken)).not.to.equal(port);
    expect(taken.size).to.equal(3);
  });
});

describe("a port that the user asks for", () => {
  it("is one that HTTP is spoken on, where that is to be spoken", async () => {
    const { message } = await rejection(new PortChoice({ rest: 10_080, grpc: 6_667 }).check());
    expect(message).to.match(/^port 10080 is none for HTTP: .*#bad-port\. Choose others/);
  });
});

describe("running a command", () => {
  it("returns its output", async () => {
    expect(await run(shell("echo out; echo err >&2"), never)).to.equal("out\n");
  });

  it("tells its exit code and the last lines of its log", async () => {
    const error = await rejection(run(shell("echo reason >&2; exit 3"), never));
    expect(error.message).to.contain("script: it failed (exit code 3)").and.contain("    reason");
  });

  it("says that there is no such program", async () => {
    const missing = {
      name: "tool",
      file: path.join(folder, "missing"),
      args: [],
      log: path.join(folder, "log"),
    };
    expect((await rejection(run(missing, never))).message).to.contain("tool: cannot start");
  });

  it("ends it with its children when it is interrupted", async () => {
    const controller = new AbortController();
    const pids = path.join(folder, "pids");
    const running = run(shell(`sleep 60 & echo $$ $! > ${pids}; wait`), controller.signal);
    const ended = rejection(running);
    while (!existsSync(pids) || readFileSync(pids, "utf8").trim() === "") await sleep(10);
    controller.abort(new Interrupted("SIGINT"));
    expect(await ended).to.be.instanceOf(Interrupted);
    const [parent = 0, child = 0] = readFileSync(pids, "utf8").trim().split(" ").map(Number);
    expect(identify(parent)).to.equal(undefined);
    // It got the same signal at the same moment, and nobody waits for it.
    while (identify(child) !== undefined) await sleep(10);
  });
});

describe("a service", () => {
  const home = process.env["MLPLATFORM_HOME"];
  before(() => {
    process.env["MLPLATFORM_HOME"] = folder;
  });
  after(() => {
    if (home === undefined) delete process.env["MLPLATFORM_HOME"];
    else process.env["MLPLATFORM_HOME"] = home;
  });

  it("is known by its start, not its number alone", async () => {
    const service = await Service.start(shell("sleep 60"));
    expect(isRunning(service.identity)).to.equal(true);
    expect(isRunning({ ...service.identity, started: "another time" })).to.equal(false);
    await stop(service.identity);
    expect(isRunning(service.identity)).to.equal(false);
  });

  it("is not taken for a stranger's process that has got its number, or its group's", async () => {
    const stranger = spawn("/bin/sh", ["-c", "sleep 60 & echo $!; wait"], {
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [line] = (await once(stranger.stdout, "data")) as [Buffer];
    const member = Number(line.toString());
    const identity = identify(stranger.pid ?? 0) ?? { pid: 0, started: "" };
    const ended = once(stranger, "exit");
    for (const leader of ["there", "gone"]) {
      expect(isRunning(identity), leader).to.equal(false);
      await stop(identity);
      signalOwn(identity, "SIGKILL");
      expect(identify(member)?.pid, leader).to.equal(member);
      stranger.kill("SIGKILL");
      await ended;
    }
    process.kill(member, "SIGKILL");
  });

  it("of another folder is not ours, as in a copy of the project", async () => {
    const service = await Service.start(shell("sleep 60"));
    process.env["MLPLATFORM_HOME"] = path.join(folder, "copy");
    expect(isRunning(service.identity)).to.equal(false);
    await stop(service.identity);
    expect(identify(service.identity.pid)).to.deep.equal(service.identity);
    process.env["MLPLATFORM_HOME"] = folder;
    await stop(service.identity);
    expect(identify(service.identity.pid)).to.equal(undefined);
  });

  it("that was halted is stopped at once", async () => {
    const service = await Service.start(shell("exec sleep 60"));
    process.kill(service.identity.pid, "SIGSTOP");
    const began = Date.now();
    await stop(service.identity);
    expect(Date.now() - began).to.be.lessThan(5_000);
  });

  it("is left behind when its starter was killed, as is a command that has no use without it", async () => {
    const starter = path.join(folder, "starter.ts");
    const script = (seconds: number) => ({
      ...shell(`sleep ${seconds} & wait`),
      log: path.join(folder, String(seconds)),
    });
    writeFileSync(
      starter,
      `const { Service, run } = require(${JSON.stringify(path.join(projectDir, "cli/process.ts"))});
       const never = new AbortController().signal;
       run({ ...${JSON.stringify(script(61))}, passing: true }, never);
       run(${JSON.stringify(script(62))}, never);
       Service.start(${JSON.stringify(script(63))}).then(({ identity }) => console.log(JSON.stringify(identity)));`,
    );
    const child = spawn(process.execPath, ["--require", path.join(projectDir, "load.cjs"), starter], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const service = JSON.parse(line.toString()) as ProcessIdentity;
    expect(leftBehind([])).to.deep.equal([]);
    child.kill("SIGKILL");
    await once(child, "exit");
    const left = leftBehind([]);
    expect(left).to.have.length(2).and.to.deep.include(service);
    expect(leftBehind([service])).to.deep.equal(left.filter(({ pid }) => pid !== service.pid));
    await Promise.all(left.map(stop));
    expect(leftBehind([])).to.deep.equal([]);
    const kept = processTable.all().filter(({ pid }) => isOurs(pid));
    expect(kept.length, "what may come to its end by itself").to.be.greaterThan(0);
    for (const { pid } of kept) process.kill(pid, "SIGKILL");
  });

  it("is stopped with what it started, also when it is dead itself", async () => {
    const pid = path.join(folder, "child");
    const service = await Service.start(shell(`sleep 60 & echo $! > ${pid}; wait`));
    while (!existsSync(pid) || readFileSync(pid, "utf8").trim() === "") await sleep(10);
    process.kill(service.identity.pid, "SIGKILL");
    while (identify(service.identity.pid) !== undefined) await sleep(10);
    expect(isRunning(service.identity)).to.equal(true);
    await stop(service.identity);
    expect(identify(Number(readFileSync(pid, "utf8")))).to.equal(undefined);
  });

  it("that ends while it starts is told with its log", async () => {
    const service = await Service.start(shell("echo no such model; exit 1"));
    const error = await rejection(service.ready(() => Promise.resolve(false), 10, never));
    expect(error.message).to.contain("it ended (exit code 1)").and.contain("no such model");
  });

  it("that does not answer in time is told so", async () => {
    const service = await Service.start(shell("sleep 60"));
    const error = await rejection(service.ready(() => Promise.reject(new Error("refused")), 0.2, never));
    await stop(service.identity);
    expect(error.message).to.contain("it does not answer after 0.2 s");
  });
});

describe("finding Python", () => {
  const bin = path.join(folder, "bin");
  const searchPath = process.env["PATH"];
  const fake = (name: string, script: string) => {
    mkdirSync(bin, { recursive: true });
    writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(bin, name), 0o755);
  };
  beforeEach(() => {
    rmSync(bin, { recursive: true, force: true });
    process.env["PATH"] = bin;
  });
  afterEach(() => {
    process.env["PATH"] = searchPath;
  });

  it("says what it looked for where there is none", async () => {
    const { message } = await rejection(findPython());
    expect(message)
      .to.contain("no Python 3.12 or 3.11 here")
      .and.contain("python3.12, python3.11, python3, python");
  });

  it("says what it found that does not fit, and why", async () => {
    fake("python3", "echo 3.14.1 /usr/bin/python3.14");
    fake("python3.11", "echo \"ModuleNotFoundError: No module named 'ensurepip'\" >&2; exit 1");
    const { message } = await rejection(findPython());
    expect(message).to.contain("python3 is 3.14.1").and.contain("python3-venv");
  });

  it("takes the first that fits, by its real path", async () => {
    fake("python3.12", "echo 3.12.4 '/opt/py thon/bin/python3.12'");
    expect(await findPython()).to.deep.equal({ file: "/opt/py thon/bin/python3.12", version: "3.12.4" });
  });

  describe("where there is none that fits", () => {
    const home = process.env["MLPLATFORM_HOME"];
    const step = { detail: () => undefined };
    const bring = (uv: string) => {
      fake("python3", "echo 3.8.1 /usr/bin/python3");
      fake("uv", uv);
      process.env["MLPLATFORM_HOME"] = path.join(folder, "brought");
      mkdirSync(process.env["MLPLATFORM_HOME"], { recursive: true });
      return new Environments(never).interpreter(step);
    };
    afterEach(() => {
      if (home === undefined) delete process.env["MLPLATFORM_HOME"];
      else process.env["MLPLATFORM_HOME"] = home;
    });

    it("has the user's uv bring one", async () => {
      fake("brought", "echo 3.12.7");
      const asked = path.join(folder, "asked");
      const script = `echo "$@ to $UV_PYTHON_INSTALL_DIR" >> ${asked}; [ $2 = install ] || echo ${bin}/brought`;
      expect(await bring(script)).to.deep.equal({ file: path.join(bin, "brought"), version: "3.12.7" });
      expect(readFileSync(asked, "utf8")).to.match(/^python install 3\.12 .* to .*\/brought\/python\n/);
    });

    it("says what was found, and why uv brings none", async () => {
      const { message } = await rejection(bring("echo error: no way there >&2; exit 1"));
      expect(message)
        .to.contain("no Python 3.12 or 3.11 here. Found: python3 is 3.8.1.")
        .and.contain("uv could not bring one")
        .and.contain("    error: no way there\n");
    });

    it("names uv where there is none either", async () => {
      const { message } = await rejection(new Environments(never).interpreter(step));
      expect(message).to.contain("Or install uv, which brings one: https://docs.astral.sh/uv/");
    });
  });

  it("takes no other than the one that was named", async () => {
    fake("perl", "echo 'unknown option' >&2; exit 2");
    fake("true", "");
    for (const [file, why] of [
      ["perl", "perl does not run as Python does (unknown option)"],
      ["true", "true is no Python"],
      ["/nowhere/python", "there is no program /nowhere/python"],
      [folder, `${folder} does not run as Python does (EACCES)`],
    ] as const) {
      const { message } = await rejection(findPython(file));
      expect(message).to.equal(
        `the Python that was named cannot be used: ${why}. Name one of 3.12 or 3.11, or none, to have one found.`,
      );
    }
  });
});

describe("the variables of the user's shell", () => {
  const kept = {
    ...{ HTTPS_PROXY: "http://proxy:1", https_proxy: "http://proxy:1", LC_ALL: "C.UTF-8", TZ: "UTC" },
    ...{ TMPDIR: folder, SSL_CERT_FILE: "/certificates", REQUESTS_CA_BUNDLE: "/certificates" },
    OPENBLAS_CORETYPE: "Haswell",
  };
  const source = {
    PIP_INDEX_URL: "http://theirs",
    UV_INDEX_THEIRS_PASSWORD: "secret",
    UV_CACHE_DIR: "/cache",
  };
  const data = { AWS_ACCESS_KEY_ID: "theirs", AWS_ENDPOINT_URL: "http://theirs" };
  const dropped = {
    ...{ PYTHONHASHSEED: "abc", PYTHONUTF8: "7", PYTHONINSPECT: "1", PYTHONIOENCODING: "utf-16" },
    ...{ PYTHONHOME: "/nowhere", PYTHONPATH: "/nowhere", PYTHONDONTWRITEBYTECODE: "1" },
    ...{ UV_WORKING_DIR: "/nowhere", UV_PROJECT: "/nowhere", UV_CONFIG_FILE: "/nowhere", UV_PYTHON: "3.9" },
    ...{ PIP_TARGET: "/nowhere", PIP_USER: "1", PIP_NO_BINARY: ":all:", PIP_CONSTRAINT: "/nowhere" },
    ...{ MLFLOW_REGISTRY_URI: "http://theirs", MLFLOW_TRACKING_TOKEN: "secret", DATABRICKS_HOST: "theirs" },
    ...{ PULUMI_CONFIG_PASSPHRASE: "secret", GITHUB_TOKEN: "secret", KUBECONFIG: "/theirs", GIT_COMMIT: "1" },
    ...{ NODE_OPTIONS: "--no-warnings", VIRTUAL_ENV: "/theirs", LD_PRELOAD: "" },
    ...{ MLSERVER_HTTP_PORT: "1", STREAMLIT_SERVER_PORT: "1", PREDICTOR_ID: "theirs" },
  };
  const theirs = { ...kept, ...source, ...data, ...dropped };
  const own = Object.entries(process.env).filter(([name]) => name in theirs);
  beforeEach(() => Object.assign(process.env, theirs));
  afterEach(() => {
    for (const name of Object.keys(theirs)) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, Object.fromEntries(own));
  });

  /** Those of them that a process finds as the user has set them. */
  async function reaching(env: NodeJS.ProcessEnv): Promise<string[]> {
    const lines = (await run({ ...shell("env"), env }, never)).split("\n");
    return Object.entries(theirs).flatMap(([name, value]) =>
      lines.includes(`${name}=${value}`) ? [name] : [],
    );
  }

  it("reach no Python that is looked for, where they are Python's", async () => {
    const python = path.join(folder, "python-with-variables");
    writeFileSync(python, '#!/bin/sh\nenv | grep -q "^PYTHON" || echo 3.12.4 /python\n', { mode: 0o755 });
    expect(await findPython(python)).to.deep.equal({ file: "/python", version: "3.12.4" });
  });

  it("reach a module that runs, where they lead to the network, to files, or say the language", async () => {
    const module = (env = {}) =>
      new Environment(folder, "id").module("module", path.join(folder, "log"), ["module"], env).env ?? {};
    expect(await reaching(module())).to.have.members(Object.keys(kept));
    const ofTraining = [...Object.keys(kept), ...Object.keys(data)];
    expect(await reaching(module(dataAccess("s3://bucket/key")))).to.have.members(ofTraining);
    for (const other of [undefined, "/data.csv", "https://host/s3://"])
      expect(dataAccess(other), other).to.deep.equal({});
  });

  it("reach an installation, also where they say where packages come from", async () => {
    const names = [...Object.keys(kept), ...Object.keys(source)];
    expect(await reaching(installHere())).to.have.members(names);
    const settings = path.join(folder, "uv.toml");
    writeFileSync(settings, "");
    process.env["UV_CONFIG_FILE"] = settings;
    expect(installHere()).to.include({ UV_CONFIG_FILE: settings, PIP_USER: "0" });
  });
});

describe("the result of a training", () => {
  const result = {
    ...{ version: "2", alias: null, previous_champion: "1", reason: "It is worse." },
    metrics: { test_score: 0.7 },
  };

  it("is what it prints", () => {
    expect(readTrainingResult(`${JSON.stringify(result)}\n`, "log")).to.deep.equal(result);
  });

  it("is none where something else is printed, and that is said", () => {
    for (const output of ["", "hello\n", "{}", `hello\n${JSON.stringify(result)}`])
      expect(() => readTrainingResult(output, "log"), output).to.throw(
        UserError,
        /^training: .* is not its result: (nothing|".+")\. /,
      );
  });
});

describe("making a Python environment", () => {
  it("tells that the package index cannot be reached, with the last lines of the log", async function () {
    this.timeout(60_000);
    const home = process.env["MLPLATFORM_HOME"];
    process.env["MLPLATFORM_HOME"] = path.join(folder, "home");
    process.env["PIP_INDEX_URL"] = "http://127.0.0.1:1/simple";
    try {
      const making = new Environments(never).ensure("tracking", { detail: () => undefined });
      const { message } = await rejection(making);
      expect(message).to.contain("the index of Python packages cannot be reached. Check the network");
      expect(message)
        .to.contain("Python package installer (uv): it failed")
        .and.contain("Connection refused");
      expect(message).to.contain("install-uv.log");
    } finally {
      delete process.env["PIP_INDEX_URL"];
      if (home === undefined) delete process.env["MLPLATFORM_HOME"];
      else process.env["MLPLATFORM_HOME"] = home;
    }
  });
});
