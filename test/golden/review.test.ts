import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";
import { stringify } from "yaml";

import { projectDir } from "../../cli/paths";
import type { Decision } from "../../config/lock";
import { projectCopy } from "../projectCopy";
import { decisionOn } from "../unit/support/decision";

const wish = "models:/house-price@champion";
const form = "sklearn-skops";
const decided = (version: number, score: number): Decision => ({
  ...decisionOn(version, form, { "scikit-learn": "1.7.2" }),
  metrics: { test_r2: score },
});
const lock = (decision: Decision) => stringify({ models: { [wish]: decision } });

/** Changes that a team makes, and what the page shows of them. */
const samples: Readonly<
  Record<string, { readonly change: (project: string) => void; readonly code: number }>
> = {
  value: {
    change: (project) => {
      appendFileSync(path.join(project, "Pulumi.prod.yaml"), "  mlplatform:tracking:\n    replicas: 3\n");
    },
    code: 0,
  },
  promotion: {
    change: (project) => {
      writeFileSync(path.join(project, "models.prod.lock.yaml"), lock(decided(4, 0.6412)));
    },
    code: 0,
  },
  violation: {
    change: (project) => {
      const exposed = "  mlplatform:tracking:\n    values: { service: { type: LoadBalancer } }\n";
      appendFileSync(path.join(project, "Pulumi.prod.yaml"), exposed);
    },
    code: 1,
  },
};

describe("a pull request", function () {
  this.timeout(120_000);
  let project: string;

  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=ann", "-c", "user.email=ann@example.com", ...args], {
      cwd: project,
      stdio: "pipe",
    });
  const review = (...args: string[]) => {
    const command = ["--require", "./load.cjs", "cli/main.ts", "review", ...args];
    return spawnSync(process.execPath, command, { cwd: project, encoding: "utf8" });
  };

  before(() => {
    project = projectCopy();
    git("init", "--quiet", "--initial-branch=main");
    writeFileSync(path.join(project, "models.prod.lock.yaml"), lock(decided(3, 0.6105)));
    git("add", "--all", "--force", ".", ":!node_modules");
    git("commit", "--quiet", "--message=before");
  });
  afterEach(() => git("checkout", "--quiet", "--", "."));
  after(() => {
    rmSync(path.dirname(project), { recursive: true });
  });

  for (const [name, { change, code }] of Object.entries(samples))
    it(`says in a comment what it changes, as docs/reviews/${name}.md shows`, () => {
      change(project);
      const { stdout, stderr, status } = review();
      expect(status, stderr).to.equal(code);
      const text = stdout.replace(/(?<=Compared with `)[0-9a-f]+/, "0123456789ab");
      const page = path.join(projectDir, "docs", "reviews", `${name}.md`);
      if (process.env["UPDATE_SAMPLES"] !== undefined) writeFileSync(page, text);
      expect(text).to.equal(readFileSync(page, "utf8"));
    });

  it("that does nothing to a stack says so", () => {
    appendFileSync(path.join(project, "README.md"), "\nMore.\n");
    const { stdout, status } = review();
    expect(status).to.equal(0);
    expect(stdout).to.contain("## This change does nothing to any stack").and.not.contain("###");
  });

  it("names what keeps its name and gets another content, and golden files that say something else", () => {
    for (const file of ["modelserver/rest.py", "standardserver/startup.py"])
      appendFileSync(path.join(project, "ml-app", file), "\n# More.\n");
    const golden = path.join(project, "test", "golden", "prod.json");
    writeFileSync(golden, readFileSync(golden, "utf8").replace('"prod"', '"other"'));
    const { stdout, status } = review();
    expect(status).to.equal(0);
    expect(stdout)
      .to.contain("- `image house-price-serve`")
      .and.contain("- `files mlplatform-models-server`")
      .and.contain("npm run preview -- --stack prod --update-golden")
      .and.not.contain("image house-price-train");
    expect(stdout).to.match(/\| `staging` \| 1 with other content +\|/);
  });

  it("with damaged files says which, and looks at all else", () => {
    writeFileSync(path.join(project, "test", "golden", "staging.json"), "<<<<<<< HEAD\n");
    writeFileSync(path.join(project, "models.prod.lock.yaml"), "models: [");
    const { stdout, status, stderr } = review();
    expect(status, stderr).to.equal(1);
    expect(stdout)
      .to.match(/\| `prod` +\| ❌ cannot be evaluated +\| no change/)
      .and.contain("models.prod.lock.yaml cannot be read")
      .and.contain("npm run preview -- --stack staging --update-golden");
  });

  it("with a stack that cannot be evaluated says all that is wrong, and of the others what changes", () => {
    appendFileSync(
      path.join(project, "Pulumi.prod.yaml"),
      "  mlplatform:trackin: {}\n  mlplatform:modls: []\n",
    );
    rmSync(path.join(project, "Pulumi.wine.yaml"));
    const { stdout, status } = review();
    expect(status).to.equal(1);
    expect(stdout)
      .to.contain("did you mean tracking?")
      .and.contain("did you mean models?")
      .and.match(/\| `wine` \(removed\) +\| \d+ removed +\|/);
  });

  it("is told to machines as JSON, and needs something to be compared with", () => {
    samples["promotion"]?.change(project);
    const { stacks } = JSON.parse(review("--json").stdout) as {
      stacks: { stack: string; promotions: { models: string[]; change: string }[] }[];
    };
    const [promotion] = stacks.find(({ stack }) => stack === "prod")?.promotions ?? [];
    expect(promotion?.models).to.deep.equal(["house-price"]);
    expect(promotion?.change).to.match(/^version 3 → 4, test_r2 0\.6105 → 0\.6412/);
    const { stderr, status } = review("--base", "--upload-pack=x");
    expect(status).to.equal(1);
    expect(stderr).to.contain('git knows no commit "--upload-pack=x" here');
  });
});
