import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { MlflowClient } from "../../../cli/mlflow";
import { rejection } from "../support/rejection";
import { type TestServer, serveHttp } from "../support/servers";

const version = { name: "m", version: "3", runId: "r", tags: {} };

describe("the MLflow client", () => {
  const answers = new Map<string, [number, unknown]>();
  let server: TestServer;
  let client: MlflowClient;

  before(async () => {
    server = await serveHttp((request, response) => {
      const [status, body] = answers.get(decodeURIComponent(request.url ?? "")) ?? [500, "not expected"];
      response.statusCode = status;
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    });
    client = new MlflowClient(server.url);
  });
  after(() => server.close());
  beforeEach(() => {
    answers.clear();
  });

  it("resolves an alias, and knows no version where there is none", async () => {
    const api = "/api/2.0/mlflow/registered-models/alias?name=m&alias=champion";
    const tags = [{ key: "k", value: "v" }];
    answers.set(api, [200, { model_version: { name: "m", version: "3", run_id: "r", tags } }]);
    expect(await client.versionByAlias("m", "champion")).to.deep.equal({ ...version, tags: { k: "v" } });
    answers.set(api, [404, { error_code: "RESOURCE_DOES_NOT_EXIST" }]);
    expect(await client.versionByAlias("m", "champion")).to.equal(undefined);
  });

  it("writes aliases and tags, and says what MLflow refuses", async () => {
    const sent: unknown[] = [];
    const said: [number, unknown][] = [];
    const writing = new MlflowClient("http://mlflow", (url, _, how) => {
      sent.push([
        how?.sent?.method,
        url.replace("http://mlflow/api/2.0/mlflow/", ""),
        JSON.parse(how?.sent?.body ?? ""),
      ]);
      const [status, body] = said.shift() ?? [200, {}];
      return Promise.resolve(new Response(JSON.stringify(body), { status }));
    });
    await writing.setAlias("m", "champion", "3");
    await writing.deleteAlias("m", "challenger");
    await writing.setTag(version, "k", "v");
    await writing.deleteTag(version, "k");
    expect(sent).to.deep.equal([
      ["POST", "registered-models/alias", { name: "m", alias: "champion", version: "3" }],
      ["DELETE", "registered-models/alias", { name: "m", alias: "challenger" }],
      ["POST", "model-versions/set-tag", { name: "m", version: "3", key: "k", value: "v" }],
      ["DELETE", "model-versions/delete-tag", { name: "m", version: "3", key: "k" }],
    ]);
    said.push([403, "not yours"]);
    expect((await rejection(writing.setTag(version, "k", "v"))).message).to.match(
      /^MLflow answered 403 .*not yours/,
    );
  });

  it("has all versions of a model, on however many pages", async () => {
    const query = "filter=name='m'&order_by=version_number DESC&max_results=1000";
    const page = (number: string, more: object) => [
      200,
      { model_versions: [{ name: "m", version: number }], ...more },
    ];
    const search = "/api/2.0/mlflow/model-versions/search?";
    answers.set(
      `${search}${query}`.replaceAll(" ", "+"),
      page("2", { next_page_token: "t" }) as [number, unknown],
    );
    answers.set(`${search}${query}&page_token=t`.replaceAll(" ", "+"), page("1", {}) as [number, unknown]);
    expect((await client.versionsOf("m")).map((one) => one.version)).to.deep.equal(["2", "1"]);
  });

  it("says what MLflow answered when it fails", async () => {
    const error = await rejection(client.versionByAlias("m", "other"));
    expect(error.message).to.contain("MLflow answered 500").and.contain("not expected");
  });

  it("says that no MLflow is there", async () => {
    const gone = new MlflowClient("http://127.0.0.1:1");
    expect((await rejection(gone.metric("r", "k"))).message).to.contain(
      "MLflow at http://127.0.0.1:1 does not answer",
    );
  });

  it("says so where it breaks off, hangs, or is something else, in a sentence", async () => {
    const api = "/api/2.0/mlflow/runs/get?run_id=r";
    answers.set(api, [200, "<html>"]);
    expect((await rejection(client.metric("r", "k"))).message).to.equal(
      "what answers in place of MLflow does not speak its language: <html>",
    );
    const breaking = await serveHttp((_, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("{", () => response.destroy());
    });
    const cut = new MlflowClient(breaking.url);
    expect((await rejection(cut.metric("r", "k"))).message).to.equal(
      `MLflow at ${breaking.url} does not answer: the connection was broken off.`,
    );
    await breaking.close();
    const silent = await serveHttp(() => undefined);
    const slow = new MlflowClient(silent.url, (url) => fetch(url, { signal: AbortSignal.timeout(50) }));
    const { name, message } = await rejection(slow.metric("r", "k"));
    expect([name, message]).to.deep.equal([
      "UserError",
      `MLflow at ${silent.url} does not answer: it took too long.`,
    ]);
    await silent.close();
  });

  it("downloads folders with their files, whole or not at all", async () => {
    const folder = path.join(mkdtempSync(path.join(tmpdir(), "mlplatform-mlflow-")), "model");
    const artifacts = "/api/2.0/mlflow-artifacts/artifacts";
    answers.set("/api/2.0/mlflow/model-versions/get-download-uri?name=m&version=3", [
      200,
      { artifact_uri: "mlflow-artifacts:/1/models/m-x/artifacts" },
    ]);
    const files = (...names: [string, boolean][]) => ({
      files: names.map(([path, is_dir]) => ({ path, is_dir })),
    });
    answers.set(`${artifacts}?path=1/models/m-x/artifacts`, [
      200,
      files(["MLmodel", false], ["sub dir", true]),
    ]);
    answers.set(`${artifacts}?path=1/models/m-x/artifacts/sub+dir`, [200, files(["data", false])]);
    answers.set(`${artifacts}/1/models/m-x/artifacts/MLmodel`, [200, "flavors: {}"]);

    expect((await rejection(client.download(version, folder))).message).to.contain("MLflow answered 500");
    expect(existsSync(folder)).to.equal(false);

    answers.set(`${artifacts}/1/models/m-x/artifacts/sub dir/data`, [200, "bytes"]);
    await client.download(version, folder);
    expect(readFileSync(path.join(folder, "MLmodel"), "utf8")).to.equal("flavors: {}");
    expect(readFileSync(path.join(folder, "sub dir", "data"), "utf8")).to.equal("bytes");
  });

  it("refuses artifacts that MLflow does not hand out", async () => {
    answers.set("/api/2.0/mlflow/model-versions/get-download-uri?name=m&version=3", [
      200,
      { artifact_uri: "s3://bucket/x" },
    ]);
    const error = await rejection(client.download(version, "/nowhere"));
    expect(error.message).to.contain("s3://bucket/x").and.contain("--serve-artifacts");
  });
});
