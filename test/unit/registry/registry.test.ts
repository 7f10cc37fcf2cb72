import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { proxyAddress, trackingService } from "../../../cli/cluster/services";
import { Progress } from "../../../cli/progress";
import { difference } from "../../../cli/registry/difference";
import { Deciding } from "../../../cli/registry/deciding";
import { listingOf, listingTable } from "../../../cli/registry/listing";
import { decisionsIn, rewriteLock, writeDown } from "../../../cli/registry/lockFile";
import { needRegistry } from "../../../cli/registry/registry";
import { chosen, update } from "../../../cli/registry/update";
import type { Decision } from "../../../config/lock";
import type { ModelConfig } from "../../../config/models";
import { servedVersion } from "../../../cli/serving/version";
import { type FakeApi, fakeApi } from "../cluster/support/fakeApi";
import { outputOf } from "../support/output";
import { rejection } from "../support/rejection";

const champion = "models:/churn@champion";
const mlflow = proxyAddress(trackingService);
const api = `${mlflow}/api/2.0/mlflow`;
const served = "/apis/machinelearning.seldon.io/v1/namespaces/ml-models/seldondeployments";
const server = "/apis/apps/v1/namespaces/mlflow/deployments/mlflow";
const notThere = [404, { error_code: "RESOURCE_DOES_NOT_EXIST" }] as const;
/** What MLflow 3.15 answers for an alias that a model does not have. */
const noAlias = [
  400,
  { error_code: "INVALID_PARAMETER_VALUE", message: "Registered model alias champion not found." },
] as const;

describe("the registry", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-registry-"));
  const file = path.join(folder, "models.lock.yaml");
  let fake: FakeApi;

  before(async () => {
    fake = await fakeApi({});
  });
  after(async () => {
    await fake.close();
    rmSync(folder, { recursive: true });
  });

  /** Has the registry hold a version of `churn`, whose alias `champion` leads to it. */
  const hold = (version: number, score: number): void => {
    const place = `1/models/m-${version}/artifacts`;
    const record = { name: "churn", version: String(version), run_id: `run${version}` };
    Object.assign(fake.answers, {
      [`${api}/registered-models/alias?name=churn&alias=champion`]: {
        model_version: { ...record, creation_timestamp: Date.parse("2026-11-01T12:00:00Z") },
      },
      [`${api}/model-versions/get?name=churn&version=${version}`]: { model_version: record },
      [`${api}/model-versions/get-download-uri?name=churn&version=${version}`]: {
        artifact_uri: `mlflow-artifacts:/${place}`,
      },
      [`${api}/runs/get?run_id=run${version}`]: {
        run: {
          data: {
            metrics: [
              { key: "test_r2", value: score },
              { key: "loss", value: "NaN" },
            ],
          },
        },
      },
      [`${mlflow}/api/2.0/mlflow-artifacts/artifacts?path=${place}`]: {
        files: ["MLmodel", "requirements.txt"].map((name) => ({ path: name, is_dir: false })),
      },
      [`${mlflow}/api/2.0/mlflow-artifacts/artifacts/${place}/MLmodel`]: `run_id: run${version}\nflavors:\n  python_function: { loader_module: mlflow.xgboost, python_version: 3.12.1 }\n  xgboost: { model_format: ubj }\nsignature: { inputs: '[1]', outputs: '[2]' }\n`,
      [`${api}/model-versions/search?filter=run_id='run${version}'&order_by=version_number DESC&max_results=100`]:
        {
          model_versions: [record],
        },
      [`${mlflow}/api/2.0/mlflow-artifacts/artifacts/${place}/requirements.txt`]:
        "mlflow==3.15.1\nxgboost==2.1.2\n",
    });
  };

  beforeEach(() => {
    for (const address of Object.keys(fake.answers)) Reflect.deleteProperty(fake.answers, address);
    const args = ["server", "--artifacts-destination=s3://models/mlflow"];
    Object.assign(fake.answers, {
      [server]: { spec: { template: { spec: { containers: [{ args }] } } } },
      [served]: { items: [] },
    });
    for (const [method, query] of [
      ["registered-models/get", "?name=churn"],
      ["registered-models/search", "?max_results=1000"],
    ] as const)
      fake.answers[`${api}/${method}${query}`] = {
        registered_model: { aliases: [{ alias: "champion", version: "3" }] },
        registered_models: [{ name: "churn" }, { name: "wine" }],
      };
    for (const query of ["registered-models/get", "model-versions/get"])
      fake.answers[`${api}/${query}`] = notThere;
    fake.answers[`${api}/registered-models/alias`] = noAlias;
    hold(3, 0.61);
    rmSync(file, { force: true });
  });

  const model = (name: string, wish: string | undefined) => ({ name, model: wish }) as ModelConfig;
  const churn = model("churn", champion);
  const ask = async (...models: ModelConfig[]) =>
    update(await needRegistry(fake.cluster), models, { models }, {});
  const decided = async (): Promise<Decision> => {
    const found = (await ask(churn)).decisions[champion];
    if (found === undefined) throw new Error("nothing was decided");
    return found;
  };

  /** Has the lock hold a decision. */
  const locked = async (given: Promise<Decision>) => {
    const held = await given;
    rewriteLock(file, "dev", () => ({ [champion]: held }));
  };

  it("is asked for everything that the lock says of a version", async () => {
    const { decided: when, sha256, ...rest } = await decided();
    expect(Object.keys(sha256 ?? {})).to.deep.equal(["MLmodel", "requirements.txt"]);
    expect(rest).to.deep.equal({
      version: 3,
      run: "run3",
      files: "s3://models/mlflow/1/models/m-3/artifacts",
      form: "xgboost-ubj",
      loading: { by: "mlflow.xgboost", python: "3.12", code: [] },
      compared: "nothing",
      libraries: { mlflow: "3.15.1", xgboost: "2.1.2" },
      metrics: { test_r2: 0.61 },
      signature: { inputs: "[1]", outputs: "[2]" },
      registered: "2026-11-01T12:00:00.000Z",
    });
    expect(Date.now() - Date.parse(when.at)).to.be.within(0, 60_000);
  });

  for (const [wish, message] of [
    ["models:/chrun@champion", "the registry has no model chrun; did you mean churn?"],
    ["models:/flowers/1", "the registry has no model flowers; it has churn and wine"],
    ["models:/churn@champoin", "model churn has no alias champoin; did you mean champion?"],
    ["models:/churn@x", "model churn has no alias x; it has champion (version 3)"],
    ["models:/churn/9", "model churn has no version 9; it has champion (version 3)"],
  ] as const)
    it(`says what there is in place of ${wish}`, async () => {
      const { decisions, failures } = await ask(model("m", wish), churn);
      expect(failures).to.deep.equal([{ wish, reason: `${wish}: ${message}` }]);
      expect(Object.keys(decisions), "the others are decided").to.deep.equal([champion]);
    });

  it("takes no version whose files are gone, or where MLflow cannot hand them out", async () => {
    fake.answers[`${mlflow}/api/2.0/mlflow-artifacts/artifacts?path=1/models/m-3/artifacts`] = {};
    expect((await ask(churn)).failures[0]?.reason).to.include("version 3, and its files are gone");
    fake.answers[`${api}/model-versions/get-download-uri?name=churn&version=3`] = {
      artifact_uri: "file:///tmp",
    };
    expect((await ask(churn)).failures[0]?.reason).to.include("stored at file:///tmp");
  });

  it("tells which version the files are that a pod has", async () => {
    const { mlflow: client, store } = await needRegistry(fake.cluster);
    const at = (modelUri: string) => servedVersion(client, { modelUri });
    const place = "1/models/m-3/artifacts";
    const search = `${api}/model-versions/search?filter=run_id='run3'&order_by=version_number DESC&max_results=100`;
    fake.answers[search] = {
      model_versions: ["7", "3"].map((version) => ({ name: "churn", version, run_id: "run3" })),
    };
    fake.answers[`${api}/model-versions/get-download-uri?name=churn&version=7`] = {
      artifact_uri: "mlflow-artifacts:/1/models/m-other/artifacts",
    };
    expect(await at(`${store}/${place}`)).to.equal("3");
    fake.answers[`${api}/model-versions/get-download-uri?name=churn&version=7`] = {
      artifact_uri: `mlflow-artifacts:/${place}`,
    };
    expect(await at(`${store}/${place}`), "a copy may be meant").to.equal(undefined);
    fake.answers[search] = {};
    expect(await at(`${store}/${place}`)).to.equal(undefined);
    expect(await at("s3://elsewhere/1/models/m-9/artifacts"), "of another store").to.equal(undefined);
  });

  for (const [what, file_, content, reason] of [
    [
      "what code of any kind loads",
      "MLmodel",
      "flavors: { python_function: { loader_module: mine }, xgboost: { model_format: ubj } }",
      "(loaded by mine), which XGBOOST_SERVER cannot load",
    ],
    [
      "of which nobody knows what loads it",
      "MLmodel",
      "flavors: { xgboost: { model_format: ubj }, sklearn: {} }",
      "(loaded by several libraries)",
    ],
    [
      "that does not say what it takes",
      "MLmodel",
      "flavors: { python_function: { loader_module: mlflow.xgboost }, xgboost: { model_format: ubj } }",
      "has no signature, so that nobody knows what it takes",
    ],
    ["that is not what MLflow writes", "MLmodel", "<html>", "its MLmodel is not what MLflow writes: <html>"],
    ["without flavors", "MLmodel", "flavors:", "its MLmodel is not what MLflow writes"],
    [
      "of a newer library, in another form of pip's",
      "requirements.txt",
      "XGBoost[gpu] == 3.1.3",
      "logged with xgboost 3.1.3",
    ],
    [
      "that does not say which library it needs",
      "requirements.txt",
      "xgboost>=2",
      "which does not say with which xgboost it was logged",
    ],
  ] as const)
    it(`does not decide for a version ${what}`, async () => {
      fake.answers[`${mlflow}/api/2.0/mlflow-artifacts/artifacts/1/models/m-3/artifacts/${file_}`] = content;
      const standard = { ...churn, server: "XGBOOST_SERVER" } as ModelConfig;
      const { decisions, failures } = await ask(standard);
      expect(failures[0]?.reason).to.include(champion).and.include(reason);
      expect(decisions).to.deep.equal({});
    });

  it("knows the code that a version brings, and decides for it where the stack allows that", async () => {
    const place = `${mlflow}/api/2.0/mlflow-artifacts/artifacts/1/models/m-3/artifacts`;
    fake.answers[`${place}/MLmodel`] =
      "flavors: { python_function: { loader_module: mlflow.sklearn, code: code }, " +
      "sklearn: { pickled_model: model.pkl, serialization_format: cloudpickle } }\nsignature: { inputs: '[1]' }";
    fake.answers[`${place}/requirements.txt`] = "scikit-learn==1.5.2\n";
    const { failures } = await ask({ ...churn, server: "MLFLOW_SERVER" });
    expect(failures[0]?.reason).to.include(
      "which holds Python code of its own (code/) and a pickle (model.pkl): whoever loads it runs the code of",
    );
    const allowed = await ask({ ...churn, server: "MLFLOW_SERVER", allowCode: true });
    expect(allowed.failures).to.deep.equal([]);
    expect(allowed.decisions[champion]?.loading?.code).to.have.length(2);
  });

  it("looks again at a version that was decided on before what it runs was looked at", async () => {
    const { loading, ...old } = await decided();
    expect(loading?.by).to.equal("mlflow.xgboost");
    const again = await update(
      await needRegistry(fake.cluster),
      [churn],
      { models: [churn] },
      { [champion]: old },
    );
    expect(again.changes[0]).to.match(/version 3 → 3, .*, what it runs is known from now on$/);
    expect(again.decisions[champion]?.loading).to.deep.equal(loading);
  });

  it("keeps a version that is tried beside one, and forgets it beside another", async () => {
    const now = await decided();
    const tried = "models:/churn/4";
    const anew = async (version: number) =>
      update(
        await needRegistry(fake.cluster),
        [churn],
        { models: [churn] },
        {
          [champion]: { ...now, version, canary: { version: 4, percent: 10 } },
          [tried]: { ...now, version: 4 },
        },
      );
    const same = await anew(now.version);
    expect([same.changes, same.dropped]).to.deep.equal([[], []]);
    const other = await anew(2);
    expect(other.decisions[champion]).to.include({ version: now.version }).and.not.have.property("canary");
    expect(other.dropped).to.deep.equal([tried]);
  });

  it("tells the format of LightGBM's trees from the one that it has for all else", async () => {
    const place = `${mlflow}/api/2.0/mlflow-artifacts/artifacts/1/models/m-3/artifacts`;
    fake.answers[`${place}/MLmodel`] =
      "flavors: { python_function: { loader_module: mlflow.lightgbm }, " +
      "lightgbm: { data: model.lgb, serialization_format: skops } }\nsignature: { inputs: '[1]' }";
    expect((await ask({ ...churn, image: "a/b:1" })).decisions[champion]?.form).to.equal("lightgbm-lgb");
  });

  it("does not decide for one model what another of the stack cannot serve", async () => {
    const other = { ...model("other", champion), server: "SKLEARN_SERVER" } as ModelConfig;
    const registry = await needRegistry(fake.cluster);
    const { failures } = await update(registry, [churn], { models: [churn, other] }, {});
    expect(failures[0]?.reason).to.include("which SKLEARN_SERVER cannot load");
  });

  it("takes the place of no MLflow whose answers are something else", async () => {
    for (const answer of [{}, "null", "<html>"]) {
      fake.answers[`${api}/registered-models/alias?name=churn&alias=champion`] = answer;
      expect((await ask(churn)).failures[0]?.reason).to.include("does not speak its language");
    }
  });

  it("keeps what somebody else has decided meanwhile", async () => {
    const other = await decided();
    const updated = await update(await needRegistry(fake.cluster), [churn], { models: [churn] }, {});
    rewriteLock(file, "dev", () => ({ "models:/other/3": other }));
    writeDown(file, "dev", updated);
    expect(Object.keys(decisionsIn(file))).to.deep.equal([champion, "models:/other/3"]);
  });

  it("changes what it has something else for, and nothing else", async () => {
    const before = { [champion]: await decided(), "models:/old/1": await decided() };
    const again = await update(await needRegistry(fake.cluster), [churn], { models: [churn] }, before);
    expect(again.changes).to.deep.equal(["models:/old/1: no longer wished for"]);
    expect(again.decisions["models:/old/1"]).to.equal(undefined);
    const misspelt = model("churn", "models:/churn@champoin");
    const lost = await update(await needRegistry(fake.cluster), [misspelt], { models: [misspelt] }, before);
    expect(lost.changes, "beside a wrong name").to.deep.equal([]);
    expect(again.decisions[champion], "with its day").to.equal(before[champion]);
    hold(4, 0.6412);
    const moved = await update(
      await needRegistry(fake.cluster),
      [churn],
      { models: [churn] },
      {
        [champion]: before[champion],
      },
    );
    expect(moved.changes).to.deep.equal([
      `churn (${champion}): version 3 → 4, test_r2 0.61 → 0.6412, signature unchanged, xgboost 2.1.2`,
    ]);
  });

  it("tells a change of signature, format and library", async () => {
    const before = await decided();
    const after = {
      ...{ ...before, version: 4, form: "xgboost-json", metrics: {} },
      ...{ signature: { inputs: "[9]" }, libraries: { xgboost: "2.0.3" } },
    };
    expect(difference(before, after)).to.equal(
      "version 3 → 4, signature changed, xgboost-ubj → xgboost-json, xgboost 2.1.2 → 2.0.3",
    );
    expect(difference(undefined, before)).to.equal("version 3, test_r2 0.61, xgboost 2.1.2");
  });

  it("knows the models that are asked for by name", () => {
    const all = [churn, model("given", "s3://models/given/1")];
    expect(chosen(all, [])).to.equal(all);
    expect(chosen(all, ["churn"])).to.deep.equal([churn]);
    expect(() => chosen(all, ["chrun"])).to.throw("the stack has no model chrun; did you mean churn?");
    expect(() => chosen(all, ["given"])).to.throw("model given names no version of the registry");
  });

  it("lists what is wished for, decided and served", async () => {
    const decision = await decided();
    fake.answers[served] = {
      items: [
        {
          metadata: { name: "churn", namespace: "ml-models" },
          spec: { predictors: [{ name: "default", graph: { name: "churn", modelUri: decision.files } }] },
        },
      ],
    };
    hold(4, 0.7);
    const trained = { ...model("churn", undefined), training: {} } as ModelConfig;
    const all = [churn, trained, model("given", "s3://m/1"), model("lost", "models:/flowers@champion")];
    const rows = await listingOf(all, { [champion]: decision }, fake.cluster);
    const brief = rows.map(({ decided: one, registry, ...row }) => ({
      ...row,
      registry: registry?.version,
      decided: one?.version,
    }));
    expect(brief).to.deep.equal([
      { model: "churn", wish: champion, registry: 4, reason: null, serving: ["3"], decided: 3 },
      { model: "churn", wish: champion, registry: 4, reason: null, serving: ["3"], decided: 3 },
      { model: "given", wish: null, registry: undefined, reason: null, serving: [], decided: undefined },
      {
        ...{
          model: "lost",
          wish: "models:/flowers@champion",
          registry: undefined,
          serving: [],
          decided: undefined,
        },
        reason: "models:/flowers@champion: the registry has no model flowers; it has churn and wine",
      },
    ]);
    expect(listingTable(rows)).to.match(/churn .*version 3 .*version 4 ← .*version 3 .*test_r2 0\.61/);
    const [alone] = await listingOf([churn], { [champion]: decision }, undefined);
    expect(alone).to.include({ registry: null, reason: "not asked", serving: null });
  });

  describe("at `up`", () => {
    const inService = {
      metadata: { name: "churn", namespace: "ml-models" },
      spec: { predictors: [{ name: "default", graph: { name: "churn" } }] },
    };
    const deciding = (environment: "dev" | "prod", models = [churn]) =>
      new Deciding(
        { stack: environment, cluster: fake.cluster },
        { environment, models },
        file,
        new Progress("json"),
      );
    const up = (when: "after" | "before" | "record", environment: "dev" | "prod" = "dev", models = [churn]) =>
      outputOf(() => deciding(environment, models)[when]());

    it("decides for dev, before where it can and else after the rest", async () => {
      fake.answers[server] = [404, {}];
      await locked(decidedOnce());
      fake.answers["/api/v1/namespaces/mlflow"] = {};
      await up("before");
      expect(decisionsIn(file)[champion]?.version, "where its server alone is gone").to.equal(3);
      Reflect.deleteProperty(fake.answers, "/api/v1/namespaces/mlflow");
      fake.answers[served] = { items: [inService] };
      await up("before");
      expect(decisionsIn(file)[champion]?.version, "where it is in service").to.equal(3);
      fake.answers[served] = { items: [] };
      await up("before");
      expect(decisionsIn(file), "of another registry").to.deep.equal({});
      restore();
      expect((await up("after")).result).to.equal(true);
      expect(decisionsIn(file)[champion]?.version).to.equal(3);
      expect((await up("after")).result, "nothing is left").to.equal(false);
      hold(4, 0.7);
      expect((await up("before")).out).to.include("version 3 → 4");
      expect(decisionsIn(file)[champion]?.version).to.equal(4);
    });

    const restore = () => {
      const args = ["--artifacts-destination=s3://models/mlflow"];
      fake.answers[server] = { spec: { template: { spec: { containers: [{ args }] } } } };
    };
    const decidedOnce = async () => {
      restore();
      const decision = await decided();
      fake.answers[server] = [404, {}];
      return decision;
    };

    it("goes on with what was decided where the registry does not answer", async () => {
      await locked(decided());
      fake.answers[`${api}/registered-models/alias?name=churn&alias=champion`] = [503, "no endpoints"];
      expect((await up("before")).out)
        .to.include('"event":"warning"')
        .and.include("503");
      expect(decisionsIn(file)[champion]?.version).to.equal(3);
    });

    it("takes nothing out of service for want of a decision", async () => {
      fake.answers[served] = { items: [inService] };
      fake.answers[`${api}/registered-models/alias?name=churn&alias=champion`] = noAlias;
      for (const [environment, reason] of [
        ["dev", "no alias champion"],
        ["prod", "npm run models -- update --stack prod"],
      ] as const) {
        const { message } = await rejection(up("before", environment));
        expect(existsSync(file), "nothing is written").to.equal(false);
        expect(message)
          .to.match(/^churn would be taken out of service.*Nothing was changed/)
          .and.include(reason);
      }
    });

    it("ends with what is wrong where the registry has no such version", async () => {
      fake.answers[`${api}/registered-models/alias?name=churn&alias=champion`] = noAlias;
      const error = await rejection(up("after"));
      expect(error.message).to.match(/no alias champion.*\n {2}All else is up\./);
    });

    it("leaves it to people elsewhere, and tells them where the registry has moved on", async () => {
      await locked(decided());
      hold(4, 0.7);
      expect((await up("before", "prod")).out).to.equal("");
      expect(await up("after", "prod")).to.deep.include({ out: "", result: false });
      expect((await up("record", "prod")).out).to.include("is version 4 in the registry now, and version 3");
      expect(decisionsIn(file)[champion]?.version).to.equal(3);
    });

    const trained = { ...model("churn", undefined), training: {} } as ModelConfig;

    it("decides for what was trained for the first time, in every environment", async () => {
      for (const environment of ["dev", "prod"] as const) {
        rmSync(file, { force: true });
        fake.answers[`${api}/registered-models/alias?name=churn&alias=champion`] = noAlias;
        expect((await up("before", environment, [trained])).out, "it has no version yet").to.not.include(
          '"event":"warning"',
        );
        hold(3, 0.61);
        const { out, result } = await up("after", environment, [trained]);
        expect(result).to.equal(true);
        expect(decisionsIn(file)[champion]?.version).to.equal(3);
        expect(out.includes("commit ")).to.equal(environment === "prod");
      }
    });

    it("takes in dev what a training has made the champion, and leaves that to people elsewhere", async () => {
      await locked(decided());
      hold(4, 0.7);
      expect((await up("after", "prod", [trained])).result).to.equal(false);
      expect(decisionsIn(file)[champion]?.version).to.equal(3);
      const { out, result } = await up("after", "dev", [trained]);
      expect([out.includes("version 3 → 4"), result]).to.deep.equal([true, true]);
      expect(await up("after", "dev", [trained])).to.deep.include({ out: "", result: false });
    });
  });
});
