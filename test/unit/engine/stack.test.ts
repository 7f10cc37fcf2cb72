import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "chai";

import { EngineStack } from "../../../cli/engine/stack";
import { rejection } from "../support/rejection";
import { Variables, isolated, temporaryFolder } from "./support";

describe("a run that does not stop when it is told to", function () {
  this.timeout(20_000);

  it("is ended, and its lock with it, where the next one could not tell whose that was", async () => {
    const home = temporaryFolder();
    const variables = new Variables();
    const calls = path.join(home, "calls");
    const file = path.join(home, "bin", "pulumi");
    mkdirSync(path.dirname(file));
    const script = `[ "$1" = version ] && { echo v3.250.0; exit; }\necho "$1" >> ${calls}\n[ "$1" = destroy ] || exit 0`;
    writeFileSync(file, `#!/bin/bash\n${script}\ntrap '' INT; sleep 30; sleep 30\n`, { mode: 0o755 });
    variables.set({ ...isolated(home), PULUMI_BACKEND_URL: "s3://states", PULUMI_CONFIG_PASSPHRASE: "x" });
    try {
      const engine = { file, version: "3.250.0", origin: "own" } as const;
      const stack = await EngineStack.open("dev", engine, { prebuilt: {} });
      const controller = new AbortController();
      const reason = new Error("stop");
      const running = rejection(stack.destroy({ signal: controller.signal, keepProtected: false }));
      while (!readFileSync(calls, "utf8").includes("destroy")) await sleep(20);
      controller.abort(reason);
      expect(await running).to.equal(reason);
      expect(readFileSync(calls, "utf8")).to.match(/destroy\ncancel\n$/);
    } finally {
      variables.restore();
      rmSync(home, { recursive: true });
    }
  });
});

describe("a stack that others have brought up", () => {
  const variables = new Variables();
  let home: string;
  let state: string;

  beforeEach(() => {
    home = temporaryFolder();
    state = path.join(home, "state");
    variables.set({
      ...isolated(home),
      PULUMI_BACKEND_URL: `file://${state}`,
      PULUMI_CONFIG_PASSPHRASE: "x",
    });
  });
  afterEach(() => {
    variables.restore();
    rmSync(home, { recursive: true });
  });

  /** Opens it with a CLI that says only this, and fails. */
  const refused = async (says: string) => {
    const file = path.join(home, "bin", "pulumi");
    mkdirSync(path.dirname(file));
    const script = `[ "$1" = version ] && { echo v3.250.0; exit; }\ntouch ${home}/asked; echo "${says}" >&2; exit 255`;
    writeFileSync(file, `#!/bin/bash\n${script}\n`, { mode: 0o755 });
    const engine = { file, version: "3.250.0", origin: "own" } as const;
    const { message } = await rejection(
      EngineStack.open("staging", engine, { context: "c", prebuilt: {} }, "there"),
    );
    expect(existsSync(path.join(home, "mlplatform", "stacks"))).to.equal(false);
    return message;
  };

  it("is not made by a look at a folder without a state", async () => {
    expect(await refused("")).to.match(
      new RegExp(
        `^there is no stack staging in ${state}: .*PULUMI_BACKEND_URL.*npm run up -- --stack staging`,
      ),
    );
    expect(readdirSync(home)).to.not.include.members(["state", "asked"]);
  });

  it("is refused where the state has no such stack", async () => {
    mkdirSync(path.join(state, ".pulumi", "stacks"), { recursive: true });
    expect(await refused("error: no stack named 'staging' found")).to.match(/^there is no stack staging in /);
    expect(readdirSync(path.join(state, ".pulumi"))).to.deep.equal(["stacks"]);
  });

  it("says whose passphrase it needs, and what else the CLI says without its mark", async () => {
    mkdirSync(path.join(state, ".pulumi", "stacks"), { recursive: true });
    const message = await refused("error: failed to decrypt: incorrect passphrase, please set");
    expect(message).to.match(
      /^the passphrase that is here .* stack staging: set PULUMI_CONFIG_PASSPHRASE_FILE/,
    );
    rmSync(path.join(home, "bin"), { recursive: true });
    expect(await refused("error: no access")).to.equal("no access");
  });
});
