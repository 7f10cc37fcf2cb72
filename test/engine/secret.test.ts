import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";
import { parse } from "yaml";

import type { Engine } from "../../cli/engine/engine";
import { revealedConfig } from "../../cli/engine/revealed";
import { settingsFile } from "../../cli/engine/settings";
import { EngineStack } from "../../cli/engine/stack";
import { readStackConfig } from "../../cli/plan/stackFiles";
import { Variables, isolated, projectIn, temporaryFolder } from "../unit/engine/support";
import { setting } from "./support/setting";

describe("a secret of a stack that was never up", () => {
  const home = temporaryFolder();
  const folder = path.join(home, "project");
  const file = path.join(folder, "Pulumi.trial.yaml");
  const variables = new Variables();
  let engine: Engine;
  let restoreProject: () => void;

  before(async () => {
    const { engineRoot } = await setting();
    engine = { file: path.join(engineRoot, "bin", "pulumi"), version: "", origin: "own" };
    variables.set(isolated(home));
    restoreProject = await projectIn(folder, {
      "Pulumi.yaml": "name: mlplatform\nruntime: nodejs\n",
      "Pulumi.trial.yaml":
        "# ours\nconfig:\n  mlplatform:environment: prod # as there\n  mlplatform:database:\n    kind: external\n",
    });
  });
  after(() => {
    restoreProject();
    variables.restore();
    rmSync(home, { recursive: true, force: true });
  });

  for (const value of ["correct horse", "--path=- $(id) 'ü\"\\"])
    it(`stands encrypted in its file, beside all that was there: ${value}`, async () => {
      const stack = await EngineStack.open("trial", engine, { prebuilt: {} });
      await stack.setSecret("mlplatform:database.password", value);
      const written = readFileSync(file, "utf8");
      expect(written).to.include("# ours\n").and.to.include("environment: prod # as there\n");
      expect(written).to.not.include(value);
      const { encryptionsalt } = parse(written) as { encryptionsalt: string };
      expect(encryptionsalt).to.equal(
        (parse(readFileSync(settingsFile("trial"), "utf8")) as { encryptionsalt: string }).encryptionsalt,
      );
      expect(readStackConfig("trial", folder).secretKeys).to.deep.equal(["mlplatform:database.password"]);
      const { config, secretKeys } = await revealedConfig("trial", engine);
      expect(secretKeys).to.deep.equal(["mlplatform:database"]);
      const { "mlplatform:database": database = "" } = config;
      expect(JSON.parse(database)).to.deep.equal({ kind: "external", password: value });
      const args = ["config", "get", "--path", "mlplatform:database.password", "--config-file", file];
      const env = { ...process.env, ...stack.backend.env };
      const said = execFileSync(engine.file, [...args, "--stack", "trial"], { cwd: folder, env });
      expect(said.toString()).to.equal(`${value}\n`);
    });
});
