import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { commitTo } from "../../../cli/github/commit";
import { pullOf, putComment } from "../../../cli/github/comments";
import { putReport } from "../../../cli/github/issues";
import { putPull } from "../../../cli/github/pulls";
import { type Repository, repository } from "../../../cli/github/repository";
import { reviewMark } from "../../../cli/review/comment";
import { storedComment } from "../../../cli/review/stored";
import { rejection } from "../support/rejection";

type Answers = Record<string, unknown>;

describe("what workflows tell GitHub", () => {
  const asked: { readonly what: string; readonly body: unknown; readonly token: string | undefined }[] = [];
  let answers: Answers;
  let server: Server;
  let where: Repository;

  before(async () => {
    server = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => (text += chunk.toString()));
      request.on("end", () => {
        const [place = ""] = (request.url ?? "").split("?");
        const what = `${request.method ?? ""} ${place}`;
        asked.push({
          what: `${request.method ?? ""} ${request.url ?? ""}`,
          body: text === "" ? undefined : (JSON.parse(text) as unknown),
          token: request.headers.authorization,
        });
        const answer = answers[what];
        response.writeHead(answer === undefined ? 403 : 200, { "Content-Type": "application/json" });
        response.end(JSON.stringify(answer ?? { message: "Resource not accessible by integration" }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    where = await repository({
      GITHUB_TOKEN: "t0",
      GITHUB_REPOSITORY: "team/platform",
      GITHUB_API_URL: url,
    });
  });
  beforeEach(() => {
    asked.length = 0;
    answers = {};
  });
  after(() => server.close());

  const writes = () =>
    asked.filter(({ what }) => !what.startsWith("GET")).map(({ what, body }) => [what, body]);
  const text = `${reviewMark}\n## Nothing`;
  const comments = "/repos/team/platform/issues/7/comments";

  it("is a comment, and the next time the same one", async () => {
    answers[`GET ${comments}`] = [
      { id: 1, body: text, user: { type: "User" } },
      { id: 2, body: "thanks", user: { type: "Bot" } },
    ];
    answers[`POST ${comments}`] = { html_url: "https://example.com/3" };
    expect(await putComment(where, 7, text)).to.equal("https://example.com/3");
    (answers[`GET ${comments}`] as unknown[]).push({ id: 3, body: `${text} else`, user: { type: "Bot" } });
    answers["PATCH /repos/team/platform/issues/comments/3"] = { html_url: "https://example.com/3" };
    await putComment(where, 7, text);
    expect(writes()).to.deep.equal([
      [`POST ${comments}`, { body: text }],
      ["PATCH /repos/team/platform/issues/comments/3", { body: text }],
    ]);
    expect(new Set(asked.map(({ token }) => token))).to.deep.equal(new Set(["token t0"]));
  });

  it("is no comment but a review, as a fork's run could have written anything", async () => {
    for (const wrong of ["hello", `${reviewMark}\n${"a".repeat(70_000)}`])
      expect((await rejection(putComment(where, 7, wrong))).message).to.contain("is none that");
    expect(asked).to.deep.equal([]);
    const review = {
      commit: "0".repeat(40),
      stacks: [
        {
          ...{
            stack: "a`@ann`",
            fate: "kept",
            differences: "",
            promotions: [],
            violations: [],
            renewed: [],
            outdated: false,
          },
          counts: { added: 0, removed: 0, changed: 0 },
          problem: "# <b>bold</b>",
        },
      ],
    };
    const { text: written, base } = storedComment(JSON.stringify(review));
    expect(base).to.equal(review.commit);
    expect(written).to.contain("`` a`@ann` ``").and.contain("```text\n# <b>bold</b>\n```");
    for (const wrong of [
      "",
      "[]",
      text,
      JSON.stringify({ ...review, more: 1 }),
      JSON.stringify({ ...review, commit: "x" }),
    ])
      expect(() => storedComment(wrong)).to.throw("this is no review");
  });

  it("goes to the pull request of the very commit that was looked at", async () => {
    answers["GET /repos/team/platform/pulls"] = [
      { number: 5, head: { sha: "old" } },
      { number: 7, head: { sha: "abc" } },
    ];
    const head = { owner: "ann", branch: "fix & more", commit: "abc" };
    expect(await pullOf(where, head, "base")).to.equal(7);
    expect(asked[0]?.what).to.contain("head=ann%3Afix%20%26%20more").and.contain("state=open");
    expect(await pullOf(where, { ...head, commit: "newer" }, "base")).to.equal(undefined);
    const twice = [7, 8].map((number) => ({ number, head: { sha: "abc" }, base: { sha: `base${number}` } }));
    answers["GET /repos/team/platform/pulls"] = twice;
    expect(await pullOf(where, head, "base8")).to.equal(8);
    expect(await pullOf(where, head, "base")).to.equal(undefined);
  });

  it("is one issue as long as something is wrong", async () => {
    const issues = "/repos/team/platform/issues";
    const drift = { title: "prod is not what it declares", label: "drift" };
    answers[`GET ${issues}`] = [];
    expect(await putReport(where, { ...drift, text: undefined })).to.equal(undefined);
    expect(writes()).to.deep.equal([]);
    answers[`POST ${issues}`] = { html_url: "https://example.com/9" };
    await putReport(where, { ...drift, text: "gone" });
    answers[`GET ${issues}`] = [{ number: 9, title: drift.title, html_url: "https://example.com/9" }];
    answers[`PATCH ${issues}/9`] = { html_url: "https://example.com/9" };
    await putReport(where, { ...drift, text: "still gone ".repeat(10_000) });
    const { body: longest } = writes().at(-1)?.[1] as { body: string };
    expect(longest).to.match(/There is more: see the log of the run\.\n$/);
    expect(longest.length).to.equal(65_536);
    await putReport(where, { ...drift, text: undefined });
    expect(writes().map(([what, body]) => [what, (body as { state?: string }).state])).to.deep.equal([
      [`POST ${issues}`, undefined],
      [`PATCH ${issues}/9`, undefined],
      [`PATCH ${issues}/9`, "closed"],
    ]);
  });

  it("is a pull request, and the next time the same one", async () => {
    const pulls = "/repos/team/platform/pulls";
    const proposal = { branch: "models/prod", base: "main", title: "Serve more", text };
    answers[`GET ${pulls}`] = [];
    answers[`POST ${pulls}`] = { html_url: "https://example.com/11" };
    expect(await putPull(where, proposal)).to.equal("https://example.com/11");
    answers[`GET ${pulls}`] = [{ number: 11 }];
    answers[`PATCH ${pulls}/11`] = { html_url: "https://example.com/11" };
    await putPull(where, proposal);
    expect(writes().map(([what]) => what)).to.deep.equal([`POST ${pulls}`, `PATCH ${pulls}/11`]);
  });

  it("is said in a sentence where it refuses, with what to look at", async () => {
    expect((await rejection(putComment(where, 7, text))).message).to.equal(
      "GitHub does not tell the comments: 403, Resource not accessible by integration. Does the workflow's `permissions` allow it?",
    );
    expect((await rejection(repository({}))).message).to.contain("GITHUB_TOKEN is missing");
    expect((await rejection(repository({ GITHUB_TOKEN: "a", GITHUB_REPOSITORY: "b" }))).message).to.contain(
      "GITHUB_REPOSITORY is no owner/name",
    );
  });
});

describe("what workflows commit", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-commit-"));
  const [origin, clone] = [path.join(folder, "origin.git"), path.join(folder, "clone")];
  const git = (cwd: string, ...args: string[]) =>
    execFileSync("git", ["-c", "user.name=ann", "-c", "user.email=ann@example.com", ...args], {
      cwd,
      encoding: "utf8",
      stdio: "pipe",
    });
  const lock = path.join(clone, "models.prod.lock.yaml");

  before(() => {
    mkdirSync(origin);
    git(origin, "init", "--quiet", "--bare", "--initial-branch=main");
    git(folder, "clone", "--quiet", origin, clone);
    writeFileSync(lock, "a");
    git(clone, "add", "--all");
    git(clone, "commit", "--quiet", "--message=before");
    git(clone, "push", "--quiet", "origin", "HEAD:main");
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const propose = (title: string) => commitTo("models/prod", ["models.prod.lock.yaml"], title, clone);
  const files = () =>
    git(origin, "show", "--format=%s", "--name-only", "models/prod")
      .trim()
      .split(/\s*\n+/);

  it("is nothing where nothing has changed", async () => {
    expect(await propose("none")).to.equal(false);
    expect(git(origin, "branch")).not.to.contain("models/prod");
  });

  it("is the files that are named, on a branch of their own, in place of what was there", async () => {
    for (const title of ["Serve version 4", "Serve $(touch x) `5`"]) {
      git(clone, "switch", "--quiet", "--detach", "origin/main");
      writeFileSync(lock, title);
      writeFileSync(path.join(clone, "other"), "left");
      expect(await propose(title)).to.equal(true);
      expect(files()).to.deep.equal([title, "models.prod.lock.yaml"]);
      expect(git(origin, "rev-list", "--count", "main..models/prod").trim()).to.equal("1");
    }
  });

  it("says what git refuses", async () => {
    writeFileSync(lock, "more");
    const refused = await rejection(commitTo("a..b", ["models.prod.lock.yaml"], "no", clone));
    expect(refused.message).to.match(/^git check-ref-format fails/);
  });
});
