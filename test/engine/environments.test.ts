import { rmSync } from "node:fs";
import * as path from "node:path";

import * as pulumi from "@pulumi/pulumi";
import { LocalWorkspace, Stack } from "@pulumi/pulumi/automation";
import { expect } from "chai";

import { openEnvironments } from "../../cli/deploy/environments";
import { chooseBackend } from "../../cli/engine/backend";
import { engineCommand } from "../../cli/engine/command";
import type { Engine } from "../../cli/engine/engine";
import { settingsFile, writeSettings } from "../../cli/engine/settings";
import { readStackConfig } from "../../cli/plan/stackFiles";
import { Progress } from "../../cli/progress";
import { Variables, isolated, projectIn, temporaryFolder } from "../unit/engine/support";
import { outputOf } from "../unit/support/output";
import { rejection } from "../unit/support/rejection";
import { type Service, serveEnvironments } from "./support/service";
import { setting } from "./support/setting";

describe("a stack that takes values from environments of Pulumi ESC", function () {
  this.timeout(60_000);
  const home = temporaryFolder();
  const folder = path.join(home, "project");
  const variables = new Variables();
  const { signal } = new AbortController();
  const open = () => outputOf(() => openEnvironments("trial", new Progress("json"), signal));
  const configured = {
    "mlplatform:environment": "prod",
    "mlplatform:context": "kind-lab",
    "mlplatform:database": '{"kind":"external","password":"hunter2"}',
  };
  let engine: Engine;
  let service: Service;
  let restoreProject: () => void;

  before(async () => {
    const { engineRoot } = await setting();
    engine = { file: path.join(engineRoot, "bin", "pulumi"), version: "", origin: "own" };
    service = await serveEnvironments({
      "mlplatform:context": "kind-lab",
      "mlplatform:database": { kind: "chart", password: { secret: "hunter2" } },
    });
    variables.set({ ...isolated(home), PATH: `${path.dirname(engine.file)}:${process.env["PATH"] ?? ""}` });
    restoreProject = await projectIn(folder, {
      "Pulumi.yaml": "name: mlplatform\nruntime: nodejs\n",
      "Pulumi.trial.yaml":
        "environment: [team]\nconfig: {mlplatform:environment: prod, mlplatform:database: {kind: external}}\n",
    });
  });
  after(async () => {
    restoreProject();
    variables.restore();
    await service.close();
    rmSync(home, { recursive: true, force: true });
  });

  it("is not changed where nobody opens them", async () => {
    for (const backend of [undefined, "file:///states", "s3://states"]) {
      variables.set({ PULUMI_BACKEND_URL: backend });
      const { message } = await rejection(open());
      expect(message).to.contain(
        "environments of Pulumi ESC (team), which only a service of Pulumi opens, and the",
      );
      expect(message).to.contain(`state of the stack is in ${backend ?? ""}`);
    }
    expect(readStackConfig("trial", folder).environments).to.deep.equal(["team"]);
  });

  it("is what the engine reads, for the plan before it and for the program within", async () => {
    variables.set({ PULUMI_BACKEND_URL: service.url, PULUMI_ACCESS_TOKEN: "token" });
    await open();
    const { config, secretKeys, environments } = readStackConfig("trial", folder);
    expect(config).to.deep.equal(configured);
    expect([secretKeys, environments]).to.deep.equal([["mlplatform:database"], []]);

    writeSettings("trial", { prebuilt: {} });
    let seen: Record<string, string> = {};
    const workspace = await LocalWorkspace.create({
      workDir: folder,
      pulumiCommand: await engineCommand(engine),
      envVars: { ...chooseBackend("trial").env },
      program: () => {
        seen = { ...pulumi.runtime.allConfig() };
        return Promise.resolve({});
      },
    });
    workspace.selectStack = () => Promise.resolve();
    await (await Stack.select("trial", workspace)).preview({ configFile: settingsFile("trial") });
    expect(seen).to.deep.equal(configured);
    expect(service.opened).to.deep.equal([{ imports: ["team"] }, { imports: ["team"] }]);
  });
});
