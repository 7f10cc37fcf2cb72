import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";
import { parse } from "yaml";

import { onPath } from "../../../cli/onPath";
import { projectDir } from "../../../cli/paths";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly if?: string;
  readonly steps?: readonly Step[];
  readonly environment?: string;
  readonly concurrency?: { readonly "cancel-in-progress": unknown };
  readonly "timeout-minutes"?: number;
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const folder = path.join(projectDir, ".github");
const filesIn = (below: string) => readdirSync(path.join(folder, below)).sort();
const read = (...parts: string[]) => readFileSync(path.join(folder, ...parts), "utf8");
const workflows = Object.fromEntries(
  filesIn("workflows").map((file) => [file, parse(read("workflows", file)) as Workflow]),
);
const actions = filesIn("actions").map((name) => {
  const { runs } = parse(read("actions", name, "action.yml")) as { runs: { steps: Step[] } };
  return runs.steps;
});
const hasSecrets = (job: Job) => /secrets[.:]/.test(JSON.stringify(job));
const stepsOf = ({ jobs }: Workflow) => Object.values(jobs).flatMap(({ steps = [] }) => steps);
const all = [...Object.values(workflows).flatMap(stepsOf), ...actions.flat()];
const scripts = (
  JSON.parse(readFileSync(path.join(projectDir, "package.json"), "utf8")) as { scripts: object }
).scripts;

describe("the workflows", () => {
  it("are well-formed, says actionlint", function () {
    const go = onPath("go");
    // It is built from its Go modules; whoever has none reads the reason in the run's summary.
    if (go === undefined) this.skip();
    this.timeout(300_000);
    const built = mkdtempSync(path.join(tmpdir(), "mlplatform-actionlint-"));
    try {
      const file = path.join(built, "actionlint");
      const env = { ...process.env, CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "-mod=readonly" };
      const tool = path.join(projectDir, "tools", "actionlint");
      const what = "github.com/rhysd/actionlint/cmd/actionlint";
      execFileSync(go, ["build", "-C", tool, "-o", file, what], { env, stdio: "pipe" });
      const named = filesIn("workflows").map((name) => path.join(folder, "workflows", name));
      execFileSync(file, ["-shellcheck=", "-pyflakes=", ...named], { cwd: projectDir, stdio: "pipe" });
    } finally {
      rmSync(built, { recursive: true });
    }
  });

  it("use actions of others by their commit, with the version beside it", () => {
    const texts = [
      ...filesIn("workflows").map((file) => read("workflows", file)),
      ...filesIn("actions").map((name) => read("actions", name, "action.yml")),
    ];
    const uses = texts.flatMap((text) => [...text.matchAll(/uses: (.+)/g)].map(([, used = ""]) => used));
    for (const used of uses)
      expect(used).to.match(/^(\.\/\.github\/\S+|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/);
    const commits = new Map<string, Set<string>>();
    for (const used of uses.filter((one) => !one.startsWith("."))) {
      const [action = ""] = used.split("@");
      commits.set(action, (commits.get(action) ?? new Set()).add(used));
    }
    expect([...commits.values()].filter(({ size }) => size > 1)).to.deep.equal([]);
  });

  it("have nothing of an event in a script, only in variables", () => {
    for (const { run } of all) expect(run ?? "").not.to.contain("${{");
  });

  it("do with commands of the project, which are tested, what they do", () => {
    const lines = all
      .flatMap(({ run = "" }) => run.trim().split("\n"))
      .filter((line) => line.startsWith("npm "));
    const others = Object.values(workflows)
      .flatMap(stepsOf)
      .flatMap(({ run = [] }) => run)
      .filter((run) => !run.startsWith("npm "));
    expect(others).to.deep.equal(['gh run download "$RUN" --name review --dir review']);
    for (const line of lines) {
      const [, word = "", script = ""] = line.split(/\s+/);
      expect(word === "run" ? script : word).to.be.oneOf(["ci", ...Object.keys(scripts)]);
    }
  });

  it("have no rights but those that they name, and say how long they may take", () => {
    for (const [file, { permissions, jobs }] of Object.entries(workflows)) {
      expect(permissions, file).to.be.an("object");
      for (const job of Object.values(jobs))
        if (job.steps !== undefined) expect(job["timeout-minutes"], file).to.be.within(1, 90);
    }
  });

  it("give a pull request's code no secret but in a job that no fork reaches, no right to write, and no token on disk", () => {
    for (const [file, workflow] of Object.entries(workflows)) {
      expect(workflow.on, file).not.to.have.property("pull_request_target");
      if (!("pull_request" in workflow.on)) continue;
      for (const job of Object.values(workflow.jobs).filter(hasSecrets))
        expect(job.if, file).to.match(
          /&& github\.event\.pull_request\.head\.repo\.full_name == github\.repository$/,
        );
      expect(workflow.permissions, file).to.deep.equal({ contents: "read" });
      for (const step of stepsOf(workflow).filter(({ uses }) => uses?.startsWith("actions/checkout")))
        expect(step.with?.["persist-credentials"], file).to.equal(false);
    }
  });

  it("take secrets from an environment, and break no deployment off", () => {
    for (const [file, workflow] of Object.entries(workflows))
      for (const job of Object.values(workflow.jobs).filter(hasSecrets)) {
        expect(job.environment, file).to.be.a("string");
        // A preview changes nothing.
        expect(job.concurrency?.["cancel-in-progress"], file).to.equal("pull_request" in workflow.on);
      }
  });
});
