import { createHash, randomBytes } from "node:crypto";
import { text } from "node:stream/consumers";

import { KubeConfig } from "@kubernetes/client-node";
import { expect } from "chai";

import { Cluster, Refused } from "../../../cli/cluster/cluster";
import { proxyAddress, trackingService } from "../../../cli/cluster/services";
import { UserError } from "../../../cli/errors";
import { listingOf } from "../../../cli/registry/listing";
import { needRegistry } from "../../../cli/registry/registry";
import { update } from "../../../cli/registry/update";
import { canBeTold, checksumsText, checksumsVariable } from "../../../config/checksums";
import type { Decision, Decisions } from "../../../config/lock";
import type { ModelConfig } from "../../../config/models";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";
import { rejection } from "../support/rejection";
import { serveHttp } from "../support/servers";

const wish = "models:/churn/3";
const place = "1/models/m-3/artifacts";
const proxy = proxyAddress(trackingService);
const artifacts = `${proxy}/api/2.0/mlflow-artifacts/artifacts`;
const digest = (content: string | Buffer) => createHash("sha256").update(content).digest("hex");

describe("what a version's files were", () => {
  // No text: what reads it as one comes to another digest.
  const model = randomBytes(3_000_000);
  const mlmodel =
    "flavors: { python_function: { loader_module: mlflow.xgboost }, xgboost: { model_format: ubj } }\n" +
    "signature: { inputs: '[1]' }";
  const files: Record<string, string | Buffer> = {
    MLmodel: mlmodel,
    "data/model #1.ubj": model,
    "requirements.txt": "xgboost==2.1.2\n",
  };
  const sha256 = Object.fromEntries(Object.entries(files).map(([name, content]) => [name, digest(content)]));
  const churn = { name: "churn", model: wish } as ModelConfig;
  let fake: FakeApi;
  let reads: number;

  before(async () => {
    fake = await fakeApi({});
  });
  after(() => fake.close());

  beforeEach(() => {
    reads = 0;
    const args = ["server", "--artifacts-destination=s3://models/mlflow"];
    const entry = (name: string, content: string | Buffer) => ({
      ...{ path: name, is_dir: false, file_size: content.length },
    });
    Object.assign(fake.answers, {
      "/apis/apps/v1/namespaces/mlflow/deployments/mlflow": {
        spec: { template: { spec: { containers: [{ args }] } } },
      },
      "/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments": { items: [] },
      [`${proxy}/api/2.0/mlflow/model-versions/get`]: {
        model_version: { name: "churn", version: "3", creation_timestamp: 1 },
      },
      [`${proxy}/api/2.0/mlflow/model-versions/get-download-uri`]: {
        artifact_uri: `mlflow-artifacts:/${place}`,
      },
      [`${artifacts}?path=${place}`]: {
        files: [
          entry("MLmodel", mlmodel),
          entry("requirements.txt", "xgboost==2.1.2\n"),
          { path: "data", is_dir: true },
        ],
      },
      [`${artifacts}?path=${place}/data`]: { files: [entry("model #1.ubj", model)] },
    });
    for (const [name, content] of Object.entries(files)) hold(name, content);
  });

  const hold = (name: string, content: unknown) => {
    Object.defineProperty(fake.answers, `${artifacts}/${place}/${name}`, {
      configurable: true,
      enumerable: true,
      get: () => {
        if (name.endsWith(".ubj")) reads += 1;
        return content;
      },
    });
  };
  const ask = async (before: Decisions = {}) =>
    update(await needRegistry(fake.cluster), [churn], { models: [churn] }, before);
  /** The version, as it is decided on. */
  const decided = async (): Promise<Decision> => {
    const { [wish]: decision } = (await ask()).decisions;
    if (decision === undefined) throw new Error("nothing was decided");
    return decision;
  };

  it("is written down when it is decided on, by their bytes", async () => {
    const written = (await decided()).sha256 ?? {};
    expect(written).to.deep.equal(sha256);
    expect(Object.keys(written), "in an order that stays").to.deep.equal(Object.keys(files));
  });

  it("is looked at once: neither by who lists, nor for a version that is locked", async () => {
    const before = { [wish]: await decided() };
    expect(reads).to.equal(1);
    hold("data/model #1.ubj", randomBytes(10));
    const { changes, decisions } = await ask(before);
    await listingOf([churn], before, fake.cluster);
    expect([reads, changes]).to.deep.equal([1, []]);
    expect(decisions).to.deep.equal(before);
  });

  it("stays where something else is new of the version", async () => {
    const before = { [wish]: { ...(await decided()), metrics: { loss: 1 } } };
    expect((await ask(before)).decisions[wish]).to.deep.include({ sha256, metrics: {} });
    expect(reads).to.equal(1);
  });

  it("is looked at for another version, and for a lock of before", async () => {
    const decision = await decided();
    const { changes, decisions } = await ask({ [wish]: { ...decision, sha256: undefined } });
    expect(decisions[wish]?.sha256).to.deep.equal(sha256);
    expect(changes.join()).to.include("files are checked from now on");
    await ask({ [wish]: { ...decision, files: "s3://models/mlflow/1/models/m-2/artifacts" } });
    expect(reads).to.equal(3);
  });

  it("is compared with what it was when the version first served", async () => {
    const tags = (value: string) => [{ key: "files.sha256", value }];
    const held = (value: string) => {
      fake.answers[`${proxy}/api/2.0/mlflow/model-versions/get`] = {
        model_version: { name: "churn", version: "3", creation_timestamp: 1, tags: tags(value) },
      };
    };
    held(checksumsText(sha256));
    expect((await ask()).failures).to.deep.equal([]);
    const { MLmodel: described = "", ...others } = sha256;
    held(checksumsText({ ...others, MLmodel: digest("other"), "gone.json": described }));
    const { decisions, failures } = await ask();
    expect(decisions).to.deep.equal({});
    expect(failures[0]?.reason).to.match(
      /files of version 3 of churn are others than when .*: MLmodel is changed, gone\.json is gone\. Put them back/,
    );
    held(digest("of a long list"));
    expect((await ask()).failures[0]?.reason).to.include("are others than when it was first decided on. Put");
  });

  it("is not looked at where nothing is written down for other reasons", async () => {
    hold("requirements.txt", "xgboost==9.0.0\n");
    const models = [{ ...churn, server: "XGBOOST_SERVER" } as ModelConfig];
    const { failures } = await update(await needRegistry(fake.cluster), models, { models }, {});
    expect(failures[0]?.reason).to.include("logged with xgboost 9.0.0");
    expect(reads).to.equal(0);
  });

  for (const [what, entries] of [
    ["too large", [{ path: "model", is_dir: false, file_size: 2 ** 30 + 1 }]],
    ["too many", Array.from({ length: 700 }, (_, i) => ({ path: `tree-${i}`, is_dir: false, file_size: 1 }))],
    [
      "oddly named",
      [
        { path: "..", is_dir: false, file_size: 1 },
        { path: "/", is_dir: false, file_size: 1 },
      ],
    ],
    ["endless", Array.from({ length: 2_000 }, (_, i) => ({ path: `${i}`, is_dir: true }))],
  ] as const)
    it(`is left out, and that is said, where they are ${what}`, async () => {
      fake.answers[`${artifacts}?path=${place}/data`] = { files: entries };
      const { changes, decisions } = await ask();
      expect(decisions[wish]).to.not.have.property("sha256");
      expect(changes.join()).to.include("files cannot be checked");
      expect((await ask(decisions)).changes, "once").to.deep.equal([]);
    });

  it("is left out where a file has a name that would get lost", () => {
    const told = ["__proto__", "data/__proto__", "constructor"].map((name) => canBeTold(["MLmodel", name]));
    expect(told).to.deep.equal([false, true, true]);
  });

  it("is never that of a part of a file, nor of what MLflow says in its place", async () => {
    hold("data/model #1.ubj", model.subarray(1));
    expect((await ask()).failures[0]?.reason).to.match(/has 3000000 bytes, and 2999999 came/);
    hold("data/model #1.ubj", [500, { error: "no more" }]);
    expect((await ask()).failures[0]?.reason).to.include("MLflow answered 500");
    hold("data/model #1.ubj", [503, { kind: "Status", message: "no endpoints" }]);
    expect((await ask()).failures[0]?.reason).to.include("no endpoints");
  });

  it("comes as a stream, whose refusals are errors", async () => {
    fake.answers["/stream"] = model;
    const { status, body } = await fake.cluster.stream("/stream");
    expect([status, digest(Buffer.concat(await body.toArray()))]).to.deep.equal([200, digest(model)]);
    expect(await rejection(fake.cluster.stream("/nowhere"))).to.be.instanceOf(Refused);
    expect(await rejection(fake.cluster.send("/nowhere"))).to.be.instanceOf(UserError);
  });

  for (const [what, cut, reason] of [
    ["breaks off", true, "aborted"],
    ["falls silent", false, "no answer within 0.2 s"],
  ] as const)
    it(`comes as a stream that fails where it ${what}`, async () => {
      const server = await serveHttp((_, response) => {
        response.write("x".repeat(5_000), () => cut && response.destroy());
      });
      const raw = new KubeConfig();
      raw.loadFromClusterAndUser({ name: "c", server: server.url, skipTLSVerify: true }, { name: "u" });
      const cluster = await Cluster.open({ raw }, { name: raw.getCurrentContext(), server: server.url });
      const { body } = await cluster.stream("/", { timeout: 200 });
      expect((await rejection(text(body))).message).to.equal(reason);
      await server.close();
    });

  it("is told to a pod in ASCII, without what Kubernetes takes for a variable", () => {
    const odd = { "b$(HOME)é": "1", a: "0" };
    const text = checksumsText(odd);
    expect(text)
      .to.match(/^[ -~]+$/)
      .and.not.include("$");
    expect(JSON.parse(text)).to.deep.equal(odd);
    expect(Object.keys(JSON.parse(text) as object)[0]).to.equal("a");
    expect(checksumsVariable).to.equal("MLPLATFORM_FILES");
  });
});
