import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import { projectCopy } from "../projectCopy";

/** A capability that keeps a note for others to read, and asks MLflow. */
const files = {
  "schema.ts": `
import * as z from "zod";
import { filled } from "../../config/fields";
export const notice = z
  .strictObject({ text: filled.default("hello").describe("what the notice says") })
  .prefault({})
  .describe("a notice for everybody");`,
  "footprint.ts": `
import type { Footprint } from "../footprint";
export const notice = {
  namespaces: { notice: { name: "notices", level: "restricted", uses: ["tracking"], metrics: [8080] } },
  titles: { "mlplatform:notice:Notice": () => "notice" },
} as const satisfies Footprint;`,
  "index.ts": `
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { PlatformConfig } from "../../config";
import type { TrackingServer } from "../tracking/trackingServer";
class Notice extends pulumi.ComponentResource {}
export function createNotice(
  name: string,
  { notice }: PlatformConfig,
  { namespace, tracking }: { namespace: pulumi.Output<string>; tracking: TrackingServer },
  opts: pulumi.ComponentResourceOptions,
): void {
  const parent = new Notice("mlplatform:notice:Notice", name, {}, opts);
  const data = { text: notice.text, registry: tracking.uri };
  new k8s.core.v1.ConfigMap(\`\${name}-text\`, { metadata: { name: "notice", namespace }, data }, { parent });
}`,
};

describe("a capability that is added as a folder, and a line where they are listed, set up and wired", function () {
  this.timeout(120_000);
  let project: string;

  before(() => {
    project = projectCopy();
    const folder = path.join(project, "components", "notice");
    mkdirSync(folder);
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
    edit("components/capabilities.ts", [
      ["import { tracking }", 'import { notice } from "./notice/footprint";\nimport { tracking }'],
      ["] as const;", "  notice,\n] as const;"],
    ]);
    edit("config/schema.ts", [
      ["import { tracking }", 'import { notice } from "../components/notice/schema";\nimport { tracking }'],
      ["    modelQuota: modelQuota(by),", "    modelQuota: modelQuota(by),\n    notice,"],
    ]);
    edit("components/platform.ts", [
      ["import { createTracking }", 'import { createNotice } from "./notice";\nimport { createTracking }'],
      [
        "    const server =",
        "    createNotice(`${name}-notice`, config, { namespace: names.notice, tracking }, own);\n    const server =",
      ],
    ]);
    const config = [
      "environment: dev",
      "context: minikube",
      "monitoring: { enabled: true }",
      "notice: { text: hi }",
    ];
    const lines = config.map((line) => `  mlplatform:${line}\n`);
    writeFileSync(path.join(project, "Pulumi.toy.yaml"), `config:\n${lines.join("")}`);
  });
  after(() => {
    rmSync(path.dirname(project), { recursive: true, force: true });
  });

  function edit(file: string, changes: readonly (readonly [string, string])[]): void {
    const place = path.join(project, file);
    let text = readFileSync(place, "utf8");
    for (const [before, after] of changes) {
      expect(text.split(before), before).to.have.length(2);
      text = text.replace(before, () => after);
    }
    writeFileSync(place, text);
  }

  /** Runs something of the copy, and gives what it prints. */
  function node(...args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...args], {
      cwd: project,
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1", MLPLATFORM_HOME: path.join(path.dirname(project), "home") },
    });
    expect(status, `${stdout}${stderr}`).to.equal(0);
    return stdout;
  }

  it("is typed: its section of the configuration, its namespace, what flows into it", () => {
    writeFileSync(
      path.join(project, "toy.json"),
      '{ "extends": "./tsconfig.json", "include": ["index.ts"] }',
    );
    node("node_modules/typescript/bin/tsc", "--noEmit", "--project", "toy.json");
  });

  it("is in the preview, with its namespace and what flows to and from it, and keeps to the policies", () => {
    const { resources, findings } = JSON.parse(
      node("--require", "./load.cjs", "cli/main.ts", "preview", "--stack", "toy", "--offline", "--json"),
    ) as {
      resources: { type: string; name: string; inputs: Record<string, unknown> }[];
      findings: unknown[];
    };
    const names = resources.map(({ name }) => name);
    expect(names.filter((name) => name.includes("notice")).sort()).to.deep.equal([
      "mlplatform-namespaces-notices",
      ...["default-deny", "prometheus", "to-platform"].map(
        (policy) => `mlplatform-namespaces-notices-${policy}`,
      ),
      "mlplatform-notice",
      "mlplatform-notice-text",
    ]);
    const inputs = (name: string) => JSON.stringify(resources.find((one) => one.name === name)?.inputs);
    expect(inputs("mlplatform-notice-text")).to.include('"text":"hi"');
    expect(inputs("mlplatform-namespaces-mlflow-from-clients")).to.include('"notices"');
    expect(findings).to.deep.equal([]);
  });

  it("stands in the reference of the configuration", () => {
    node("--require", "./load.cjs", "cli/docs.ts");
    expect(readFileSync(path.join(project, "docs", "configuration.md"), "utf8")).to.match(
      /`notice\.text`.*what the notice says/,
    );
  });

  it("is called by its title in progress and reports", () => {
    const code =
      'const { Parts } = require("./cli/deploy/parts"); const urn = "u"; ' +
      'const parts = new Parts([{ urn, type: "mlplatform:notice:Notice" }]); console.log(parts.of(urn).title)';
    expect(node("--require", "./load.cjs", "--eval", code)).to.equal("notice\n");
  });
});
