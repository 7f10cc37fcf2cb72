import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { projectDir } from "../../../cli/paths";

describe("an error with --json", function () {
  this.timeout(60_000);
  const home = mkdtempSync(path.join(tmpdir(), "mlplatform-main-"));

  /** What a command writes to standard output, by lines, to standard error, and its exit code. */
  function command(args: string, folder = home) {
    const words = ["--require", path.join(projectDir, "load.cjs"), "cli/main.ts", ...args.split(" ")];
    const env = {
      ...process.env,
      MLPLATFORM_HOME: folder,
      KUBECONFIG: path.join(home, "none"),
      NO_COLOR: "1",
    };
    const { status, stdout, stderr } = spawnSync(process.execPath, words, {
      ...{ cwd: projectDir, encoding: "utf8", env, timeout: 20_000 },
    });
    return { status, stdout, stderr };
  }
  const event = (message: string) => `${JSON.stringify({ event: "error", message })}\n`;

  it("is one object on standard output, of what the user can mend and of how a command is used", () => {
    for (const [args, message] of [
      ["status --json --bad", "unknown option '--bad'"],
      ["up --once --detach --json", "option '--once' cannot be used with option '--detach'"],
      [
        "preview --context x --offline --json",
        "option '--context <name>' cannot be used with option '--offline'",
      ],
      [
        "preview --context x --graph --json",
        "option '--context <name>' cannot be used with option '--graph'",
      ],
      [
        "preview --context x --update-golden --json",
        "option '--context <name>' cannot be used with option '--update-golden'",
      ],
      ["open --json --port x", "option '--port <port>' argument 'x' is invalid. A port is 1 to 65535."],
      ["nothing --json", "unknown command 'nothing'"],
      ["down --json --stack a --stack=b", "option '--stack <name>' is given twice, and takes one value"],
      ["open --json --port 8080 --port 8081", "option '--port <port>' is given twice, and takes one value"],
      ["promote a --json --no-branch --branch", "option '--no-branch' cannot be used with option '--branch'"],
      ["up --json --data=", "option '--data <address>' is given nothing: write a value, or leave it out"],
    ] as const) {
      const { status, stdout, stderr } = command(args);
      expect([status, stdout], stderr).to.deep.equal([1, event(message)]);
      expect(stderr).to.contain(`error: ${message}`);
    }
    const { status, stdout, stderr } = command("status --json --stack nowhere");
    expect(status).to.equal(1);
    const { message } = JSON.parse(stdout) as { message: string };
    expect(stderr).to.equal(`\nError: ${message}\n`);
  });

  it("is one object of a crash too, whose stack is in a log, and shown with --debug alone", () => {
    const file = path.join(home, "local", "state.json");
    mkdirSync(file, { recursive: true });
    const { status, stdout, stderr } = command("status --json");
    expect(status).to.equal(1);
    const message = `${file} cannot be put in its place: it is a folder, and a file is needed (EISDIR).`;
    expect([stdout, stderr]).to.deep.equal([event(message), `\nError: ${message}\n`]);
    expect(readFileSync(path.join(home, "logs", "crash.log"), "utf8")).to.contain("    at writeWhole");
    expect(command("status").stdout).to.equal("");
    expect(command("status --debug").stderr).to.contain("    at writeWhole");
  });

  it("is a sentence where the tools of this machine cannot work in a folder, before anything is written", () => {
    for (const sign of ["%", ":", "?"]) {
      const folder = path.join(home, `a${sign}b`);
      const { status, stdout } = command("up --target local --once --json", folder);
      const { message } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { message: string };
      expect(status, sign).to.equal(1);
      const told = `the local target cannot work in ${JSON.stringify(folder)}: of "${sign}" in a path, `;
      expect(message).to.contain(told);
      expect(existsSync(folder), sign).to.equal(false);
    }
  });

  it("is a sentence where nothing can be written, also to standard output", function () {
    if (process.platform !== "linux") this.skip();
    const script = `node --require ./load.cjs cli/main.ts pins --json > /dev/full`;
    // In CI there are colours without a terminal, too.
    const env = { ...process.env, NO_COLOR: "1" };
    const { status, stderr } = spawnSync("sh", ["-c", script], { cwd: projectDir, encoding: "utf8", env });
    expect([status, stderr]).to.deep.equal([
      1,
      "\nError: standard output cannot be written: there is no space left on its disk (ENOSPC). Make room.\n",
    ]);
  });

  it("is a sentence at once where a folder can never be made, and where a pipe is in a file's place", function () {
    if (process.platform !== "linux") this.skip();
    for (const folder of ["/proc/platform", "/proc/self/platform/x"]) {
      const { status, stdout } = command("status --json", folder);
      expect([status, stdout]).to.deep.equal([
        1,
        event(`no folder can be made in /proc, where ${folder} is: name another one by MLPLATFORM_HOME.`),
      ]);
    }
    const own = mkdtempSync(path.join(tmpdir(), "mlplatform-main-"));
    mkdirSync(path.join(own, "local"));
    const file = path.join(own, "local", "state.json");
    execFileSync("mkfifo", [file]);
    expect(command("status --target local --json", own).status).to.equal(0);
    expect(lstatSync(file).isFile()).to.equal(true);
  });

  it("is on standard error alone without it", () => {
    expect(command("status --bad")).to.include({ status: 1, stdout: "" });
  });
});
