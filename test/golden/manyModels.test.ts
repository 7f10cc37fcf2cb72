import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";
import { stringify } from "yaml";

import { projectCopy } from "../projectCopy";

describe("a preview of 1,000 models", function () {
  this.timeout(120_000);
  const project = projectCopy();
  after(() => {
    rmSync(path.dirname(project), { recursive: true });
  });

  // All at once they took a heap of 900 MB.
  it("needs no more than a heap of 192 MiB", () => {
    const models = Array.from({ length: 1000 }, (_, index) => ({
      ...{ name: `m${index}`, server: "XGBOOST_SERVER", training: { image: "wine-quality-xgboost-train" } },
    }));
    const config = {
      "mlplatform:environment": "dev",
      "mlplatform:context": "minikube",
      "mlplatform:modelQuota": { cpu: "2000", memory: "2000Gi", pods: 5000 },
      "mlplatform:models": models,
    };
    writeFileSync(path.join(project, "Pulumi.many.yaml"), stringify({ config }));
    const preview = ["--require", "./load.cjs", "cli/main.ts", "preview", "--stack", "many"];
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--max-old-space-size=192", ...preview], {
      cwd: project,
      encoding: "utf8",
      maxBuffer: 1e8,
    });
    expect(status, stderr).to.equal(0);
    // What stands beside their server is the same for all.
    expect(stdout).to.match(/1000 SeldonDeployment,.* 2 ConfigMap,/);
  });
});
