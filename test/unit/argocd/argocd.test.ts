import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";
import { parseAllDocuments } from "yaml";

import { differences, filesOf, writeFiles } from "../../../cli/argocd/files";
import { type Manifest, healthManifests, stateSecret } from "../../../cli/argocd/manifests";
import { type ArgocdOptions, defaultFolder } from "../../../cli/argocd/options";
import { type Known, requestOf } from "../../../cli/argocd/request";
import { argocd } from "../../../cli/commands/argocd";
import { UserError } from "../../../cli/errors";
import { onPath } from "../../../cli/onPath";
import { projectDir } from "../../../cli/paths";
import { images, operatorChart } from "../../../pins";
import { outputOf } from "../support/output";
import { rejection } from "../support/rejection";
import { schemas } from "./schema";

const folder = path.join(projectDir, defaultFolder);
const manifestsOf = (text: string) => parseAllDocuments(text).map((one) => one.toJSON() as Manifest);
const made = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
  file.endsWith(".yaml"),
);
const all = made.flatMap((file) => manifestsOf(readFileSync(path.join(folder, file), "utf8")));
const ofKind = (kind: string) => all.filter((one) => one.kind === kind);
const specsOf = <Spec = Record<string, unknown>>(manifests: readonly Manifest[]) =>
  manifests.map(({ spec }) => spec as Spec);

/** Stacks that are known: they build one image each, but for `wine`. */
const stacks = ["dev", "prod", "staging", "under_score", "wine"];
const known = (stack: string): Known => ({
  plan: {
    recording: { resources: [], notices: [] } as unknown as Known["plan"]["recording"],
    images:
      stack === "wine"
        ? [{ reference: images.mlflow.repository, pin: images.mlflow, resources: [], built: false }]
        : [
            {
              reference: "registry.example.com/mlplatform/model:0123",
              pin: undefined,
              resources: [],
              built: true,
            },
          ],
  },
  config: {
    "mlplatform:context": stack,
    "mlplatform:images": { registry: "registry.example.com/mlplatform" },
  },
  settings: {},
});
const good: ArgocdOptions = {
  stack: "staging",
  repository: "https://git.example.com/team/mlplatform.git",
  branch: "main",
  backend: "s3://team-state?region=eu-central-1",
  image: ["model=registry.example.com/mlplatform/model:1.2"],
  out: defaultFolder,
};
const ask = (options: Partial<ArgocdOptions>, knownOf = known) =>
  requestOf({ ...good, ...options }, stacks, (stack) => Promise.resolve().then(() => knownOf(stack)));
const stackOf = async (options: Partial<ArgocdOptions>, knownOf = known) => {
  const files = filesOf(await ask(options, knownOf), "a line", defaultFolder);
  return [...files.values()].flatMap(manifestsOf).filter(({ kind }) => kind === "Stack");
};

describe("the files of Argo CD", () => {
  it("in the repository are what their line makes", async function () {
    this.timeout(60_000);
    const { out, result } = await outputOf(() => argocd({ out: folder, check: true }));
    expect(result, out).to.equal(0);
    expect(out).to.contain("All is as it is made by: npm run argocd -- --stack staging,prod");
  });

  it("are found where they are not", async function () {
    this.timeout(60_000);
    // In the project, as Argo CD takes them from the repository; its own folder of what is made is ignored by git.
    mkdirSync(path.join(projectDir, ".mlplatform"), { recursive: true });
    const copy = mkdtempSync(path.join(projectDir, ".mlplatform", "argocd-"));
    try {
      const files = filesOf(await ask({}), "a line", defaultFolder);
      writeFiles(copy, files);
      expect(differences(copy, files)).to.deep.equal([]);
      writeFileSync(path.join(copy, "stacks", "staging", "stack.yaml"), "kind: Other\n");
      rmSync(path.join(copy, "health.yaml"));
      const own = path.join(copy, "clusters", "gone.yaml");
      cpSync(path.join(copy, "clusters", "staging.yaml"), own);
      expect(differences(copy, files)).to.deep.equal([
        "health.yaml is missing",
        "stacks/staging/stack.yaml is not what its line makes",
        "clusters/gone.yaml is made by nothing any more",
      ]);
      writeFileSync(path.join(copy, "notes.yaml"), "mine: true\n");
      writeFiles(copy, files);
      expect(differences(copy, files)).to.deep.equal([]);
      expect(readdirSync(copy)).to.include("notes.yaml");
      const refused = await rejection(argocd({ out: path.join(copy, "stacks"), check: true }));
      expect(refused.message).to.contain("argo-cd.yaml is not there: run");
      cpSync(path.join(copy, "notes.yaml"), path.join(copy, "stacks", "argo-cd.yaml"));
      expect((await rejection(argocd({ out: path.join(copy, "stacks"), check: true }))).message).to.contain(
        "does not say what it was made by",
      );
      expect((await rejection(argocd({ ...good, out: projectDir }))).message).to.contain(
        "is the repository itself: name a folder in it",
      );
      expect((await rejection(argocd({ ...good, out: tmpdir() }))).message).to.contain(
        "is not in the repository",
      );
      expect((await rejection(argocd({ ...good, out: path.join(copy, "a b") }))).message).to.contain(
        "has a character in it that the line in the files cannot carry",
      );
      writeFileSync(path.join(copy, "argo-cd.yaml"), "# Made by: npm run argocd -- --stak staging\n");
      const edited = await rejection(argocd({ out: copy, check: true }));
      expect(edited).to.be.instanceOf(UserError);
      expect(edited.message).to.match(
        /argo-cd\.yaml is none of `npm run argocd`: unknown option '--stak'[^.]*\. Run/,
      );
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  it("are the same to whoever reads YAML 1.1, in which Norway is false", async () => {
    const files = filesOf(await ask({ branch: "no" }), "a line", defaultFolder);
    const read = (version: "1.1" | "1.2") =>
      [...files.values()].map((text) =>
        parseAllDocuments(text, { version }).map((one) => one.toJSON() as unknown),
      );
    expect(read("1.1")).to.deep.equal(read("1.2"));
    expect(files.get("argo-cd.yaml")).to.include('targetRevision: "no"');
  });

  it("have no field that Argo CD and the operator do not know", async () => {
    const variants = [
      ...(await stackOf({ gitSecret: "git" })),
      ...(await stackOf({ repository: "git@git.example.com:team/mlplatform.git", gitSecret: "git" })),
      ...(await stackOf({ stack: "acme/staging", backend: "https://api.pulumi.com" })),
    ];
    const custom = [...all, ...variants].filter(({ kind }) => kind in schemas);
    expect(new Set(custom.map(({ kind }) => kind))).to.deep.equal(new Set(Object.keys(schemas)));
    for (const one of custom) schemas[one.kind as keyof typeof schemas].parse(one);
  });

  it("let Argo CD change nothing but Stacks, in their namespaces", () => {
    const projects = new Map(ofKind("AppProject").map((one) => [one.metadata.name, one]));
    const applications = specsOf<{ project: string; source: { path: string }; destination: unknown }>(
      ofKind("Application"),
    );
    expect(applications.map(({ project }) => project)).to.have.members([...projects.keys()]);
    for (const { project, source, destination } of applications) {
      const [spec = {}] = specsOf([projects.get(project)].flatMap((one) => one ?? []));
      expect(spec["clusterResourceWhitelist"]).to.deep.equal([]);
      expect(spec["namespaceResourceWhitelist"]).to.deep.equal([{ group: "pulumi.com", kind: "Stack" }]);
      expect(spec["sourceRepos"]).to.have.length(1);
      // A stack's branch reaches no other stack.
      expect(spec["destinations"]).to.deep.equal([destination]);
      expect(readdirSync(path.join(projectDir, source.path))).to.deep.equal(["stack.yaml"]);
      const inside = manifestsOf(readFileSync(path.join(projectDir, source.path, "stack.yaml"), "utf8"));
      expect(inside.map(({ kind }) => kind)).to.deep.equal(["Stack"]);
    }
  });

  it("have no secret: what opens state and repository stands in Secrets", async () => {
    expect(ofKind("Secret")).to.deep.equal([]);
    type Variables = Record<string, { type: string; secret?: { name: string; key: string } }>;
    const secrets = async (options: Partial<ArgocdOptions>, knownOf = known) => {
      const [spec] = specsOf<{ envRefs: Variables }>(await stackOf(options, knownOf));
      return Object.entries(spec?.envRefs ?? {}).flatMap(([name, { type, secret }]) => {
        if (type !== "Secret") return [];
        expect(secret).to.deep.equal({ name: stateSecret, key: name });
        return [name];
      });
    };
    const keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    expect(await secrets({})).to.have.members(["PULUMI_CONFIG_PASSPHRASE", ...keys]);
    const inCloud = { stack: "acme/staging", backend: "https://api.pulumi.com" };
    expect(await secrets(inCloud)).to.deep.equal(["PULUMI_ACCESS_TOKEN"]);
    const salted = (stack: string) => ({ ...known(stack), settings: { encryptionsalt: "v1:…" } });
    expect(await secrets(inCloud, salted)).to.have.members([
      "PULUMI_CONFIG_PASSPHRASE",
      "PULUMI_ACCESS_TOKEN",
    ]);
    const kms = (stack: string) => ({ ...known(stack), settings: { secretsprovider: "awskms://key" } });
    expect(await secrets({}, kms)).to.have.members(keys);
  });

  it("begin no second platform, and remove none", () => {
    expect(ofKind("Stack")).to.have.length(2);
    for (const spec of specsOf(ofKind("Stack"))) {
      expect(spec["useLocalStackOnly"]).to.equal(true);
      expect(spec["destroyOnFinalize"]).to.equal(false);
    }
    for (const spec of specsOf<{ syncPolicy: { automated: unknown } }>(ofKind("Application")))
      expect(spec.syncPolicy.automated).to.deep.equal({ prune: false, selfHeal: true });
  });

  it("have the operator act as an account of its own, with the rights that pre-flight asks for, in the stack's context", () => {
    const roles = ofKind("ClusterRole") as unknown as {
      rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
    }[];
    expect(roles).to.have.length(2);
    for (const { rules } of roles) {
      const text = JSON.stringify(rules);
      expect(text).not.to.contain("*");
      expect(
        rules.some(
          ({ resources, verbs }) => resources.includes("seldondeployments") && verbs.includes("patch"),
        ),
      ).to.equal(true);
      expect(rules.find(({ verbs }) => verbs.includes("escalate"))?.resources).to.deep.equal([
        "clusterroles",
        "roles",
      ]);
      expect(rules.find(({ resources }) => resources.includes("pods"))?.verbs).to.deep.equal([
        "get",
        "list",
        "watch",
      ]);
    }
    const configs = ofKind("ConfigMap").filter(
      ({ metadata }) => metadata.name === "kubeconfig",
    ) as unknown as {
      data: { config: string };
    }[];
    const contexts = configs.map(
      ({ data }) => (JSON.parse(data.config) as Record<string, unknown>)["current-context"],
    );
    expect(contexts).to.have.members(["staging", "production"]);
    for (const { data } of configs) expect(data.config).to.contain("tokenFile").and.not.contain('"token"');
  });

  it("are made of what was said, for each stack", async () => {
    const both = await stackOf({
      stack: "staging,prod",
      branch: "staging=main,prod=release/1",
      destination: "staging=a,prod=b",
      backend: "staging=s3://a?region=eu-central-1,prod=s3://b",
    });
    expect(both.map(({ metadata }) => metadata)).to.deep.equal([
      { name: "staging", namespace: "mlplatform-staging" },
      { name: "prod", namespace: "mlplatform-prod" },
    ]);
    expect(specsOf(both).map((spec) => [spec["branch"], spec["backend"]])).to.deep.equal([
      ["refs/heads/main", "s3://a?region=eu-central-1"],
      ["refs/heads/release/1", "s3://b"],
    ]);
    expect(specsOf(both)[1]?.["config"]).to.deep.equal({
      "mlplatform:images": {
        registry: "registry.example.com/mlplatform",
        prebuilt: { model: "registry.example.com/mlplatform/model:1.2" },
      },
    });
    expect(specsOf(await stackOf({ stack: "wine", image: [] }))[0]).not.to.have.property("config");
  });

  it("refuse what is wrong, with a sentence each, all at once", async () => {
    const wrong: readonly (readonly [Partial<Record<keyof ArgocdOptions, unknown>>, readonly string[]])[] = [
      [
        { stack: undefined, repository: undefined, branch: undefined, backend: undefined },
        ["--stack is missing", "--repository is missing", "--branch is missing", "--backend is missing"],
      ],
      [
        {
          ...{ stack: "stagin,prod,prod,under_score", repository: "https://ann:pw@git.example.com/a.git" },
          ...{ branch: "a..b", backend: "file:///state", destination: "a b", image: ["x"] },
        },
        [
          'there is no stack "stagin": did you mean staging?',
          "prod is named twice",
          '"under_score" cannot be the name of an object',
          "--repository has a user or a password in it",
          '--branch is "a..b", which is no name of a branch',
          "--backend is a folder: in the operator's pod it would be gone with the pod",
          '--destination is "a b", which is no name of a cluster',
          "--image x is no NAME=REFERENCE",
          "--image: prod and under_score would build model",
          "--image model=registry.example.com/mlplatform/model:0123",
        ],
      ],
      [
        { backend: "s3://key:hidden@state", stack: "acme/staging" },
        ["--backend has a user, a password or a key in it"],
      ],
      [{ backend: "gs://state" }, ["which is neither a bucket, s3://…, nor Pulumi Cloud's address"]],
      [{ backend: "https://api.pulumi.com" }, ["write ORGANISATION/staging"]],
      [{ stack: "acme/staging" }, ["there is no organisation acme"]],
      [{ stack: "acme/other/staging" }, ["is a stack of project other"]],
      [{ repository: "http://git.example.com/a.git" }, ["is no address that the operator clones"]],
      [{ repository: "git@git.example.com:a.git" }, ["--git-secret is missing"]],
      [{ repository: "ssh://git:hidden@git.example.com/a.git" }, ["is no address that the operator clones"]],
      [{ gitSecret: "A_" }, ['"A_" cannot be the name of a Secret']],
      [{ branch: "staging=main,prod=main" }, ["prod is none of the stacks that --stack names"]],
      [{ stack: "staging,prod", branch: "staging=main" }, ["--branch says nothing of prod"]],
      [{ stack: "staging,prod" }, ["--destination staging=CLUSTER,prod=CLUSTER."]],
      [
        { stack: "staging,prod,dev", destination: "staging=a,prod=b,dev=a" },
        ["--destination: staging and dev would be in one cluster", "staging=CLUSTER,prod=b,dev=CLUSTER."],
      ],
      [{ image: ["modle=a.example.com/b:1", ...(good.image ?? [])] }, ["no stack here builds modle"]],
    ];
    for (const [options, sentences] of wrong) {
      const error = await rejection(ask(options as Partial<ArgocdOptions>));
      expect(error).to.be.instanceOf(UserError);
      const lines = error.message.split("\n");
      for (const sentence of sentences)
        expect(
          lines.filter((line) => line.includes(sentence)),
          `${sentence}\n${error.message}`,
        ).to.have.length(1);
      expect(error.message).not.to.contain("hidden");
    }
    const unreadable = await rejection(
      ask({ stack: "staging,prod", branch: "a..b" }, () => {
        throw new UserError("Pulumi.staging.yaml is wrong.");
      }),
    );
    expect(unreadable.message).to.contain("is wrong").and.contain("a..b");
  });

  it("are described with the version that is pinned", () => {
    const text = readFileSync(path.join(projectDir, "docs", "argo-cd.md"), "utf8");
    expect(text).to.contain(
      `${operatorChart.repository}/${operatorChart.name} --version ${operatorChart.version} `,
    );
  });
});

describe("the health of a Stack in Argo CD", () => {
  let built: string | undefined;
  let glua = "";

  before(function () {
    const go = onPath("go");
    if (go === undefined) {
      console.log("    skipped: there is no go on the PATH, which builds Argo CD's Lua");
      this.skip();
    }
    this.timeout(300_000);
    built = mkdtempSync(path.join(tmpdir(), "mlplatform-lua-"));
    glua = path.join(built, "glua");
    const env = { ...process.env, CGO_ENABLED: "0", GOWORK: "off", GOFLAGS: "-mod=readonly" };
    const what = "github.com/yuin/gopher-lua/cmd/glua";
    execFileSync(go, ["build", "-C", path.join(projectDir, "tools", "lua"), "-o", glua, what], {
      env,
      stdio: "pipe",
    });
  });
  after(() => {
    if (built !== undefined) rmSync(built, { recursive: true });
  });

  const check = Object.values(healthManifests()[0]?.["data"] as Record<string, string>)[0] ?? "";
  const lua = (value: unknown): string => {
    if (Array.isArray(value)) return `{${value.map(lua).join(", ")}}`;
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    return `{${Object.entries(value)
      .map(([key, item]) => `[${JSON.stringify(key)}] = ${lua(item)}`)
      .join(", ")}}`;
  };
  function healthOf(object: unknown): string {
    const script = `${glua}.lua`;
    const text = `obj = ${lua(object)}\nlocal function check()\n${check}\nend\nlocal health = check()\n`;
    writeFileSync(script, `${text}print(health.status .. ": " .. health.message)\n`);
    return execFileSync(glua, [script], { encoding: "utf8" }).trim();
  }
  const condition = (type: string, message = "", reason = "", status = "True") => ({
    type,
    status,
    reason,
    message,
  });
  const stack = (conditions: unknown[], more: object = {}, metadata: object = {}) => ({
    metadata: { generation: 3, ...metadata },
    status: { observedGeneration: 3, conditions, ...more },
  });
  const failed = { lastUpdate: { state: "failed", message: "the passphrase is wrong" } };

  const cases: readonly (readonly [string, unknown, string])[] = [
    ["is up to date", stack([condition("Ready", "up to date")]), "Healthy: up to date"],
    [
      "is being brought up, also after a failure",
      stack(
        [condition("Ready", "", "", "False"), condition("Reconciling", "running", "StackProcessing")],
        failed,
      ),
      "Progressing: running",
    ],
    [
      "is tried again after a failure",
      stack([condition("Reconciling", "2 update failure(s)", "RetryingAfterFailure")], failed),
      "Degraded: 2 update failure(s): the passphrase is wrong",
    ],
    [
      "has a preview that failed",
      stack([condition("Reconciling", "preview failed", "PreviewFailed")]),
      "Degraded: preview failed",
    ],
    [
      "waits for somebody, whatever else is said and in whichever order",
      stack([
        condition("Ready", "up to date"),
        condition("Reconciling", "running"),
        condition("Stalled", "no such branch"),
      ]),
      "Degraded: no such branch",
    ],
    [
      "was ready before its newest declaration",
      stack([condition("Ready", "up to date")], {}, { generation: 4 }),
      "Progressing: The operator has not looked at its newest declaration yet.",
    ],
    ["is new", { metadata: { generation: 1 } }, "Progressing: The operator has not looked at it yet."],
    ["is new, and seen", stack([]), "Progressing: The operator has not looked at it yet."],
    [
      "is being removed",
      stack([condition("Ready", "up to date")], {}, { deletionTimestamp: "2026-08-12T00:00:00Z" }),
      "Progressing: It is being removed.",
    ],
  ];
  for (const [what, object, health] of cases)
    it(`that ${what}`, () => {
      expect(healthOf(object)).to.equal(health);
    });
});
