import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { UserError } from "../../../cli/errors";
import { MlflowClient } from "../../../cli/mlflow";
import type { Registry } from "../../../cli/registry/decide";
import { packageFinder } from "../../../cli/registry/environment";
import { update } from "../../../cli/registry/update";
import type { Decision, Decisions } from "../../../config/lock";
import { imagePython } from "../../../config/mlflowServer";
import type { ModelConfig } from "../../../config/models";

const wish = "models:/churn/1";
const skops =
  "flavors:\n  python_function: { loader_module: mlflow.sklearn, python_version: 3.12.1 }\n" +
  "  sklearn: { pickled_model: model.skops, serialization_format: skops }\nsignature: { inputs: '[1]' }\n";
const xgboost =
  "flavors:\n  python_function: { loader_module: mlflow.xgboost, python_version: 3.12.1 }\n" +
  "  xgboost: { data: model.ubj, model_format: ubj }\nsignature: { inputs: '[1]' }\n";

const example = "saved_input_example_info: { serving_input_path: serving_input_example.json }\n";

/** A registry whose model `churn` has one version with these files, and what is found for their requirements. */
class FakeRegistry {
  readonly asked: { readonly requirements: string; readonly platform: string }[] = [];
  refusal: UserError | undefined;

  constructor(readonly files: Record<string, string>) {}

  get registry(): Registry {
    const version = { name: "churn", version: "1", run_id: "" };
    const mlflow = new MlflowClient("http://mlflow", (url) => {
      const { pathname } = new URL(url);
      const json = (content: unknown) => Promise.resolve(Response.json(content));
      if (pathname.endsWith("/model-versions/get")) return json({ model_version: version });
      if (pathname.endsWith("/get-download-uri")) return json({ artifact_uri: "mlflow-artifacts:/1/m" });
      if (pathname.endsWith("/artifacts"))
        return json({ files: Object.keys(this.files).map((file) => ({ path: file, is_dir: false })) });
      return Promise.resolve(new Response(this.files[pathname.split("/").at(-1) ?? ""]));
    });
    const packagesFor = (requirements: string, platform: string) => {
      this.asked.push({ requirements, platform });
      if (this.refusal !== undefined) return Promise.reject(this.refusal);
      return Promise.resolve(["mlserver==1.7.1", ...requirements.trim().split("\n")]);
    };
    const scoringFor = (_: string, serving: readonly string[]) =>
      Promise.resolve([...serving, "pyarrow==25.0.1"]);
    return { mlflow, store: "s3://models/mlflow", packagesFor, scoringFor };
  }

  async decide(model: object = {}, before: Decisions = {}, images?: object, batch: readonly object[] = []) {
    const models = [{ name: "churn", model: wish, ...model } as ModelConfig];
    const stack = { models, ...(images && { images: images as never }), batch: batch as never };
    const { decisions, failures, changes } = await update(this.registry, models, stack, before);
    return { decision: decisions[wish], reason: failures[0]?.reason, changes };
  }
}

describe("the packages of a version's image", () => {
  const requirements = "scikit-learn==1.7.2\nskops==0.13.0\n";
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-packages-"));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("are found when it is decided on, and written down", async () => {
    const fake = new FakeRegistry({ MLmodel: skops, "requirements.txt": requirements });
    const { decision } = await fake.decide();
    expect(decision?.environment).to.deep.equal({
      python: imagePython,
      packages: ["mlserver==1.7.1", "scikit-learn==1.7.2", "skops==0.13.0"],
    });
    expect(fake.asked).to.deep.equal([{ requirements, platform: "linux/amd64" }]);
  });

  it("are those of the platform that the stack builds for", async () => {
    const fake = new FakeRegistry({ MLmodel: skops, "requirements.txt": requirements });
    await fake.decide({}, {}, { platform: "linux/arm64" });
    expect(fake.asked[0]?.platform).to.equal("linux/arm64");
  });

  it("are looked for by one uv, whoever needs it at once", async () => {
    const python = path.join(folder, "python");
    const script = [
      "#!/bin/sh",
      'if [ "$2" = venv ]; then echo >>"$0.venvs"; sleep 0.2; exit 1; fi',
      `echo "${imagePython}.0 $0"`,
    ];
    writeFileSync(python, script.join("\n"), { mode: 0o700 });
    const { MLPLATFORM_HOME: home, MLPLATFORM_PYTHON: named } = process.env;
    Object.assign(process.env, { MLPLATFORM_HOME: folder, MLPLATFORM_PYTHON: python });
    try {
      const { packagesFor: find } = packageFinder();
      const asked = await Promise.allSettled([find("a==1", "linux/amd64"), find("b==1", "linux/amd64")]);
      expect(asked.map(({ status }) => status)).to.deep.equal(["rejected", "rejected"]);
      expect(readFileSync(`${python}.venvs`, "utf8")).to.have.lengthOf(1);
    } finally {
      for (const [name, value] of Object.entries({ MLPLATFORM_HOME: home, MLPLATFORM_PYTHON: named }))
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
    }
  });

  it("stay as they were found, until the images have another Python", async () => {
    const fake = new FakeRegistry({ MLmodel: skops, "requirements.txt": requirements });
    const { decision } = await fake.decide();
    const known = decision as Decision;
    const again = await fake.decide({}, { [wish]: known });
    expect(again.changes).to.deep.equal([]);
    expect(again.decision).to.equal(known);
    expect(fake.asked).to.have.length(1);
    const old = { ...known, environment: { python: "3.9", packages: ["a==1"] } };
    expect((await fake.decide({}, { [wish]: old })).decision?.environment).to.deep.equal(known.environment);
  });

  it("are found for tables beside them where such are scored, and go when none are", async () => {
    const fake = new FakeRegistry({ MLmodel: skops, "requirements.txt": requirements });
    const { decision: served } = await fake.decide();
    const { decision } = await fake.decide({}, { [wish]: served as Decision }, undefined, [
      { model: "churn" },
    ]);
    const packages = served?.environment?.packages ?? [];
    expect(decision?.environment).to.deep.equal({
      ...{ python: imagePython, packages },
      scoring: [...packages, "pyarrow==25.0.1"],
    });
    // Those that serve are not looked for again.
    expect(fake.asked).to.have.length(1);
    const known = { [wish]: decision as Decision };
    expect((await fake.decide({}, known, undefined, [{ model: "churn" }])).changes).to.deep.equal([]);
    expect((await fake.decide({}, known)).decision?.environment).to.deep.equal(served?.environment);
    const prepackaged = new FakeRegistry({ MLmodel: xgboost, "requirements.txt": "xgboost==2.1.2\n" });
    const found = await prepackaged.decide({}, {}, undefined, [{ model: "churn" }]);
    expect(found.decision?.environment?.scoring).to.include("pyarrow==25.0.1");
  });

  it("keep a version out that no table is scored by", async () => {
    const pickled = skops.replace("skops }", "cloudpickle }");
    const lists = skops.replace("'[1]'", `'[{"name": "a", "type": "array", "items": {"type": "double"}}]'`);
    for (const [MLmodel, reason] of [
      [pickled, "holds a pickle (model.skops): whoever loads it runs the code"],
      [lists, "version 1, which takes lists or objects in a column (a), and no cell of a table holds such"],
    ] as const) {
      const fake = new FakeRegistry({ MLmodel, "requirements.txt": requirements });
      const model = { image: "registry.example.com/a:1" };
      expect((await fake.decide(model)).reason).to.equal(undefined);
      expect((await fake.decide(model, {}, undefined, [{ model: "churn" }])).reason).to.contain(reason);
    }
  });

  it("are not looked for where a prepackaged server reads exactly this version, or an image is named", async () => {
    const fake = new FakeRegistry({ MLmodel: xgboost, "requirements.txt": "xgboost==2.1.2\n" });
    for (const model of [{}, { server: "MLFLOW_SERVER" }, { image: "registry.example.com/a:1" }])
      expect((await fake.decide(model)).decision).to.not.have.property("environment");
    expect(fake.asked).to.deep.equal([]);
  });

  it("are looked for where it reads another version, or the stack says so", async () => {
    const newer = new FakeRegistry({ MLmodel: xgboost, "requirements.txt": "xgboost==3.1.3\n" });
    expect((await newer.decide()).decision?.environment?.packages).to.include("xgboost==3.1.3");
    expect((await newer.decide({ server: "XGBOOST_SERVER" })).reason).to.include(
      "XGBOOST_SERVER has 2.1.2: it may answer otherwise. Train it with xgboost 2.1.2, or take server: mlflow",
    );
    const same = new FakeRegistry({ MLmodel: xgboost, "requirements.txt": "xgboost==2.1.2\n" });
    expect((await same.decide({ server: "mlflow" })).decision?.environment?.packages).to.include(
      "xgboost==2.1.2",
    );
  });

  it("are named where they cannot be had, and nothing is decided then", async () => {
    const fake = new FakeRegistry({ MLmodel: skops, "requirements.txt": requirements });
    fake.refusal = new UserError(
      "skops==99, which the model requires, cannot be had: there is no such version.",
    );
    const { decision, reason } = await fake.decide();
    expect(decision).to.equal(undefined);
    expect(reason).to.equal(
      `${wish} is version 1, and skops==99, which the model requires, cannot be had: there is no such version.`,
    );
  });

  it("are not known without requirements, and that is said", async () => {
    const fake = new FakeRegistry({ MLmodel: skops });
    expect((await fake.decide()).reason).to.include(
      "which has no requirements.txt, so that nobody knows what loads it",
    );
    expect(fake.asked).to.deep.equal([]);
  });

  it("are not looked for where all else is wrong already", async () => {
    const fake = new FakeRegistry({
      MLmodel: skops.replace("inputs", "outputs"),
      "requirements.txt": "a==1",
    });
    expect((await fake.decide()).reason).to.include("has no signature");
    expect(fake.asked).to.deep.equal([]);
  });

  it("are looked for to compute what nobody has recorded, though a prepackaged server reads the version", async () => {
    const files = { MLmodel: `${xgboost}${example}`, "requirements.txt": "xgboost==2.1.2\n" };
    const { decision } = await new FakeRegistry(files).decide({ parity: "on" });
    expect(decision).to.include({ compared: "example" });
    expect(decision?.environment?.packages).to.include("xgboost==2.1.2");
    const recorded = { ...files, MLmodel: `${xgboost}${example}metadata: { mlplatform: { rows: [] } }\n` };
    for (const [model, its, compared] of [
      [{ parity: "off" }, files, "example"],
      [{ parity: "on", image: "registry.example.com/a:1" }, files, "example"],
      [{ parity: "on" }, recorded, "training"],
      [{ parity: "off" }, { ...files, MLmodel: xgboost }, "nothing"],
    ] as const) {
      const found = (await new FakeRegistry(its).decide(model)).decision;
      expect(found).to.include({ compared }).and.not.have.property("environment");
    }
  });

  it("are not looked for where there is nothing to compare with, and the way out is said", async () => {
    const fake = new FakeRegistry({ MLmodel: skops, "requirements.txt": requirements });
    expect((await fake.decide({ parity: "on" })).reason).to.include(
      "version 1, which was logged without an example of its input, so that there is nothing to compare its answers with: " +
        "log it again with input_example=X.head(), or write parity: off",
    );
    expect(fake.asked).to.deep.equal([]);
  });

  it("know of a model that is asked for probabilities", async () => {
    const asked = xgboost.replace("python_version", "predict_fn: predict_proba, python_version");
    const fake = new FakeRegistry({ MLmodel: asked, "requirements.txt": "xgboost==2.1.2\n" });
    expect((await fake.decide()).decision?.loading?.answers).to.equal("predict_proba");
    const newer = new FakeRegistry({ MLmodel: asked, "requirements.txt": "xgboost==3.1.3\n" });
    expect((await newer.decide()).decision?.environment?.packages).to.include("xgboost==3.1.3");
  });
});
