import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import { EngineStack } from "../../../cli/engine/stack";
import { rejection } from "../support/rejection";
import { Variables, isolated, temporaryFolder } from "./support";

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
