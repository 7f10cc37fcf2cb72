import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";
import { parse } from "yaml";

import { projectDir } from "../../../cli/paths";
import { type ImagePin, images, imageReference, jenkinsImages } from "../../../pins";
import { readGroovy, withoutGroovy } from "../../groovy";
import { type Pipeline, pipelineOf } from "./pipeline";

const read = (...parts: string[]) => readFileSync(path.join(projectDir, ...parts), "utf8");
const below = (...parts: string[]) => path.join("deploy", "jenkins", ...parts);
const jobs = readdirSync(path.join(projectDir, below("jobs"))).map((file) =>
  file.replace(".Jenkinsfile", ""),
);
const fileOf = (job: string) => (job === "change" ? "Jenkinsfile" : below("jobs", `${job}.Jenkinsfile`));
const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
const casc = parse(read(below("controller", "casc.yaml"))) as {
  readonly jenkins: Record<string, unknown> & {
    readonly nodes: readonly {
      readonly permanent: {
        readonly labelString: string;
        readonly name: string;
        readonly numExecutors: number;
      };
    }[];
  };
  readonly security: unknown;
  readonly jobs: readonly { readonly script: string }[];
};
const plugins = read(below("controller", "plugins.txt"))
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));

/** The commands of workflows, but for what prepares their machines. */
function commandsOf(...workflows: readonly string[]): Set<string> {
  const all = workflows.map((name) => parse(read(".github", "workflows", `${name}.yml`)) as Workflow);
  const steps = all.flatMap((one) => Object.values(one.jobs)).flatMap(({ steps = [] }) => steps);
  return new Set(
    steps.flatMap(({ run = "" }) => run.trim().split("\n")).filter((run) => run.startsWith("npm ")),
  );
}

interface Workflow {
  readonly on: { readonly schedule?: readonly { readonly cron: string }[] };
  readonly jobs: Readonly<Record<string, { readonly steps?: readonly { readonly run?: string }[] }>>;
}

/** Which workflows a job does the work of. */
const counterparts: Readonly<Record<string, readonly string[]>> = {
  change: ["ci", "review"],
  comment: ["review-comment"],
  deploy: ["deploy", "deploy-stack"],
  ...Object.fromEntries(
    ["drift", "e2e", "models", "pins", "preview", "promote"].map((name) => [name, [name]]),
  ),
};
/** Where a command is another one: Jenkins merges otherwise, names the pull request, and keeps files elsewhere. */
const elsewhere: readonly (readonly [string, string])[] = [
  ["--base HEAD^1", '--base "origin/${CHANGE_TARGET:-main}"'],
  ["comment review/review.json", 'comment review/review.json --pull "$PULL"'],
  ['"$RUNNER_TEMP/review.md"', '"review-$STACK.md"'],
];
const forPeople = 'npm run review -- --base "origin/${CHANGE_TARGET:-main}" --out review.md';

/** Which commands have credentials, and which: these alone. */
const ofUp = (stack: string) =>
  ["kubeconfig", "backend", "passphrase", "aws"].map((one) => `${stack}-${one}`);
const trusted: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  change: {},
  comment: { "npm run github": ["comments-token"] },
  deploy: { "npm run up": [...ofUp("staging"), ...ofUp("prod")] },
  drift: { "npm run status": ["$STACK-read-kubeconfig"], "npm run github": ["issues-token"] },
  e2e: {},
  models: { "npm run models": ["$STACK-read-kubeconfig"], "npm run github": ["propose-token"] },
  pins: { "npm run github": ["issues-token"] },
  preview: { "npm run preview": ofUp("$params.STACK-preview") },
  promote: { "npm run promote": ["$params.STACK-read-kubeconfig"], "npm run github": ["propose-token"] },
};

describe("the Jenkinsfiles", function () {
  this.timeout(180_000);
  let pipelines: Readonly<Record<string, Pipeline>>;

  /** As they are, or as a text that takes the place of one. */
  async function pipelinesOf(texts: readonly string[]): Promise<Pipeline[]> {
    const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-jenkins-"));
    try {
      const files = texts.map((text, at) => {
        const file = path.join(folder, `${at}.Jenkinsfile`);
        writeFileSync(file, text);
        return file;
      });
      return (await readGroovy(files)).map((one) => pipelineOf(one, Object.keys(scripts)));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  before(async function () {
    const without = withoutGroovy();
    if (without !== undefined) {
      console.log(`    skipped: ${without}`);
      this.skip();
    }
    const names = ["change", ...jobs];
    const all = await pipelinesOf(names.map((name) => read(fileOf(name))));
    pipelines = Object.fromEntries(
      all.map((pipeline, at): [string, Pipeline] => [names[at] ?? "", pipeline]),
    );
  });

  it("are declarative pipelines, by the parser of Jenkins' own Groovy", () => {
    for (const [job, { findings }] of Object.entries(pipelines)) expect(findings, job).to.deep.equal([]);
  });

  it("would not be, with what people get wrong", async () => {
    const [deploy, drift] = [read(fileOf("deploy")), read(fileOf("drift"))];
    const up = `sh 'npm run up -- --target cluster --stack "$STACK" --yes'`;
    const wrong: readonly (readonly [string, string])[] = [
      [`${deploy}}`, "unexpected token: }"],
      [deploy.replace("agent none", "agent none agent none"), "has the unknown section"],
      [deploy.replace("  stages {", "  stage {"), "has the unknown section stage in pipeline"],
      [
        deploy.replace("  stages {", "  steps { echo 'a' }\n  stages {"),
        "has the unknown section steps in pipeline",
      ],
      [deploy.replace("  agent none\n", ""), "has no agent"],
      [deploy.replace("agent { label 'operations' }", ""), "runs a command, and no agent does"],
      [deploy.replace("echo 'approved'", "ehco 'approved'"), "has the unknown step or option ehco"],
      [
        deploy.replace("steps {\n        echo 'approved'\n      }", ""),
        "has 0 of steps, stages, parallel, matrix in stage",
      ],
      [deploy.replace("npm run up", "npm run upp"), "runs the unknown command npm upp"],
      [deploy.replace(up, 'sh "npm run up -- --stack ${STACK}"'), "has a variable of Groovy in a command"],
      [
        deploy.replace(up, up.replace("--yes", '--yes "$PULUMI_CONFIG_PASSPHRASE"')),
        "has the secret PULUMI_CONFIG_PASSPHRASE",
      ],
      [
        deploy.replaceAll("timeout(time: 60, unit: 'MINUTES')", "dir('.')"),
        "lets npm ci take as long as it likes",
      ],
      [deploy.replace("cleanup {", "finally_ {"), "has the unknown section finally_ in post"],
      [drift.replace("axes {", "axis {"), "has a matrix without axes"],
      [drift.replace("cron(", "crone("), "has the unknown section crone in triggers"],
      ["node { echo 'a' }", "is no declarative pipeline"],
    ];
    const found = await pipelinesOf(wrong.map(([text]) => text));
    for (const [at, [text, what]] of wrong.entries()) {
      expect([deploy, drift], `${what}: changes nothing`).not.to.include(text);
      expect(found[at]?.findings.join("\n")).to.contain(what);
    }
  });

  it("do what the workflows do, all of them, by the same commands", () => {
    const workflows = readdirSync(path.join(projectDir, ".github", "workflows"));
    expect(
      Object.values(counterparts)
        .flat()
        .map((name) => `${name}.yml`),
    ).to.have.members(workflows);
    expect(Object.keys(counterparts)).to.have.members(["change", ...jobs]);
    for (const [job, { ran }] of Object.entries(pipelines)) {
      const same = [...commandsOf(...(counterparts[job] ?? []))].map((line) =>
        elsewhere.reduce((text, [there, here]) => text.replace(there, here), line),
      );
      const own = ran.map(({ command }) => command).filter((line) => /^npm (?!ci)/.test(line));
      expect([...new Set(own)], job).to.have.members(job === "change" ? [...same, forPeople] : same);
    }
  });

  it("begin at the same times", () => {
    for (const [job, { cron }] of Object.entries(pipelines)) {
      const there = (counterparts[job] ?? []).flatMap(
        (name) => (parse(read(".github", "workflows", `${name}.yml`)) as Workflow).on.schedule ?? [],
      );
      expect(cron, job).to.deep.equal(there.map((one) => one.cron));
    }
  });

  it("give credentials to the commands that need them, and to nothing else: none to a change's own Jenkinsfile", () => {
    const documented = read("docs", "jenkins.md");
    for (const [job, { ran }] of Object.entries(pipelines)) {
      const given: Record<string, string[]> = {};
      for (const { command, credentials } of ran) {
        if (credentials.length === 0) continue;
        (given[command.split(" ", 3).join(" ")] ??= []).push(...credentials);
      }
      expect(given, job).to.deep.equal(trusted[job]);
      for (const one of Object.values(given).flat())
        expect(documented, one).to.contain(one.replace(/^(\$(params\.)?STACK|staging|prod)/, "STACK"));
    }
  });

  it("run a change's code where nothing else runs", () => {
    const agents = (...names: string[]) =>
      new Set(names.flatMap((name) => pipelines[name]?.ran ?? []).map(({ agent }) => agent));
    expect(agents("change")).to.deep.equal(new Set(["changes"]));
    expect(agents("preview")).to.deep.equal(new Set(["previews"]));
    expect(agents("e2e")).to.deep.equal(new Set(["e2e"]));
    const others = jobs.filter((name) => !["preview", "e2e"].includes(name));
    expect(agents(...others)).to.deep.equal(new Set(["operations"]));
    const own = casc.jenkins.nodes.map(({ permanent }) => permanent.labelString);
    expect(own).to.have.members(["changes", "previews", "operations"]);
  });

  it("deploy a stack, and write its lock, one at a time", () => {
    const locked = (job: string, word: string) =>
      (pipelines[job]?.ran ?? []).filter(({ command }) => command.startsWith(word)).map(({ lock }) => lock);
    expect(locked("deploy", "npm run up")).to.deep.equal(["deploy-staging", "deploy-prod"]);
    expect(locked("models", "npm run models")).to.deep.equal(["models-$STACK"]);
    expect(locked("promote", "npm run promote")).to.deep.equal(["models-$params.STACK"]);
  });

  it("use no plugin that is not installed, and the jobs are Groovy, too", async () => {
    const names = plugins.map((line) => line.split(":")[0]);
    for (const [job, { plugins: needed }] of Object.entries(pipelines))
      for (const one of needed) expect(names, job).to.include(one);
    const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-jobs-"));
    try {
      const file = path.join(folder, "jobs.groovy");
      writeFileSync(file, casc.jobs.map(({ script }) => script).join("\n"));
      const [one] = await readGroovy([file]);
      expect(one?.error).to.equal(undefined);
      const text = JSON.stringify(one?.statements);
      for (const job of jobs) expect(text).to.contain(`'${job}'`.replaceAll("'", ""));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("the Jenkins of this machine", () => {
  it("lets nobody in without a password, runs nothing beside its keys, and gives builds what they cannot do without", () => {
    const { securityRealm, authorizationStrategy, numExecutors, slaveAgentPort } = casc.jenkins;
    expect(securityRealm).to.deep.equal({
      local: { allowsSignup: false, users: [{ id: "admin", password: "${ADMIN_PASSWORD}" }] },
    });
    // By Node.canTake no agent runs anything of somebody without Agent/Build, and builds are anonymous, as below.
    expect(authorizationStrategy).to.deep.equal({
      projectMatrix: {
        entries: [
          { user: { name: "admin", permissions: ["Overall/Administer"] } },
          { user: { name: "anonymous", permissions: ["Agent/Build"] } },
        ],
      },
    });
    expect(plugins.map((line) => line.split(":")[0])).to.include.members([
      "authorize-project",
      "matrix-auth",
    ]);
    expect([numExecutors, slaveAgentPort]).to.deep.equal([0, -1]);
    expect(casc.security).to.deep.equal({
      queueItemAuthenticator: {
        authenticators: [{ global: { strategy: "anonymousAuthorizationStrategy" } }],
      },
    });
    expect(Object.keys(casc)).to.have.members(["jenkins", "security", "unclassified", "jobs"]);
    // Each right at the folder for whose builds it is: to copy a change's artifact, and to get credentials.
    const [changes = "", ...others] = casc.jobs.flatMap(({ script }) => script.split("folder('operations')"));
    const rights = [changes, others.join("")].map((text) => [
      ...text.matchAll(/name\('(\w+)'\)\s*(?:\/\/.*\s*)?permissions\(\[(.*)\]\)/g),
    ]);
    expect(rights.map((some) => some.map(([, who, what]) => [who, what]))).to.deep.equal([
      [["anonymous", "'Job/Read'"]],
      [["anonymous", "'Credentials/UseItem'"]],
    ]);
    expect(
      casc.jobs
        .map(({ script }) => script)
        .join("")
        .split("permissions("),
    ).to.have.length(3);
    // Which is no right of its own, unless Jenkins is started so.
    expect(read(below("controller", "Dockerfile"))).to.match(
      /JAVA_OPTS=".*-Dcom\.cloudbees\.plugins\.credentials\.UseItemPermission=true/,
    );
    for (const right of ["Agent/Build", "Job/Read", "Credentials/UseItem"])
      expect(read("docs", "jenkins.md"), right).to.contain(`\`${right}\``);
  });

  it("runs one build at a time beside credentials", () => {
    const many = casc.jenkins.nodes.filter(({ permanent }) => permanent.numExecutors !== 1);
    expect(many.map(({ permanent }) => permanent.name)).to.deep.equal(["changes"]);
  });

  it("has no job of a branch that is named as a pull request's is", () => {
    const [, source = ""] =
      /branchSources \{([\s\S]*?)factory \{/.exec(casc.jobs.map(({ script }) => script).join("\n")) ?? [];
    expect(source).to.contain("id('mlplatform')").and.contain("excludes('PR-*')");
    expect(read(fileOf("comment"))).to.contain('projectName: "mlplatform/PR-${params.PULL}"');
  });

  it("has every job, by its Jenkinsfile of main", () => {
    const text = casc.jobs.map(({ script }) => script).join("\n");
    const [, list = ""] = /\[([^\]]+)\]\.each/.exec(text) ?? [];
    expect(list.split(",").map((name) => name.trim().slice(1, -1))).to.have.members(jobs);
    expect(text).to.contain("branch('main')").and.contain("remote('${REPOSITORY}')");
  });

  it("is reached from this machine alone, and its containers have no rights", () => {
    const compose = parse(read(below("compose.yaml")), { merge: true }) as {
      services: Record<string, Record<string, unknown>>;
      secrets: Record<string, { file: string }>;
    };
    const { controller, ...agents } = compose.services;
    expect(controller?.["ports"]).to.deep.equal(["127.0.0.1:8080:8080"]);
    expect(Object.keys(agents)).to.have.members(casc.jenkins.nodes.map(({ permanent }) => permanent.name));
    for (const [name, service] of Object.entries(compose.services)) {
      expect(service["cap_drop"], name).to.deep.equal(["ALL"]);
      expect(service["security_opt"], name).to.deep.equal(["no-new-privileges:true"]);
      expect(JSON.stringify(service), name).not.to.match(/privileged":true|docker\.sock|_PASSWORD"?:/);
      const [secret = "", ...more] = service["secrets"] as string[];
      expect(more).to.deep.equal([]);
      expect(compose.secrets[secret]?.file).to.equal(`secrets/${secret}`);
      if (name === "controller") continue;
      expect(secret).to.equal(name);
      expect(service["ports"], name).to.equal(undefined);
      // From a file: what stands in the command, everybody on the machine sees.
      expect(service["command"]).to.include.members(["-name", name, "-secret", `@/run/secrets/${name}`]);
    }
    expect(read(below(".gitignore"))).to.equal("secrets/\n");
  });

  it("has every plugin in one version, in order", () => {
    for (const line of plugins) expect(line).to.match(/^[a-z0-9-]+:\d[\w.-]*$/);
    const names = plugins.map((line) => line.split(":")[0] ?? "");
    expect(names).to.deep.equal([...new Set(names)].sort());
  });

  it("is made of images that are pinned, and runs as a user without rights", () => {
    const pinned: Readonly<Record<string, Readonly<Record<string, ImagePin>>>> = {
      controller: { JENKINS_IMAGE: jenkinsImages.controller },
      agent: {
        PYTHON_IMAGE: images.python,
        NODE_IMAGE: jenkinsImages.node,
        AGENT_IMAGE: jenkinsImages.agent,
      },
    };
    for (const [folder, bases] of Object.entries(pinned)) {
      const lines = read(below(folder, "Dockerfile")).split("\n");
      const given = lines.filter((line) => line.startsWith("ARG ")).map((line) => line.slice(4).split("="));
      expect(Object.fromEntries(given), folder).to.deep.equal(
        // Docker's short forms.
        Object.fromEntries(
          Object.entries(bases).map(([name, pin]) => [
            name,
            imageReference(pin).replace(/^docker\.io\/(library\/)?/, ""),
          ]),
        ),
      );
      expect(lines.filter((line) => line.startsWith("USER "))).to.deep.equal(["USER 1000"]);
      expect(
        lines.filter((line) => /^ADD |\b(curl|wget)\b|^(ENV|ARG) .*(PASSWORD|TOKEN)/.test(line)),
      ).to.deep.equal([]);
      const stages = lines.flatMap((line) => /^FROM (\S+)/.exec(line)?.[1] ?? []);
      expect(stages).to.have.members(Object.keys(bases).map((name) => `\${${name}}`));
    }
    // As the workflows have it.
    const prepare = read(".github", "actions", "prepare", "action.yml");
    expect(jenkinsImages.node.tag).to.match(
      new RegExp(`^${/node-version: (\d+)/.exec(prepare)?.[1] ?? "-"}\\.`),
    );
  });
});
