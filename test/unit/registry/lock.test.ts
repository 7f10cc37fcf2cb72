import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { UserError } from "../../../cli/errors";
import { projectDir } from "../../../cli/paths";
import { decisionsIn, rewriteLock } from "../../../cli/registry/lockFile";
import program from "../../../index";
import { type Decision, lockFile, readLock } from "../../../config/lock";
import { mlserverLibraries } from "../../../pins";
import { at, environment, without } from "../components/support/created";
import { run, stackConfig } from "../config/support";
import { record } from "../support/recorder";

const decision: Decision = {
  version: 3,
  run: "8f0c",
  files: "s3://models/mlflow/1/models/m-1/artifacts",
  form: "xgboost-ubj",
  libraries: { xgboost: "2.1.2" },
  metrics: { test_r2: 0.61 },
  sha256: { MLmodel: "0".repeat(64), "data/model.ubj": "1".repeat(64) },
  signature: { inputs: '[{"name": "x"}]' },
  registered: "2026-11-01T12:00:00.000Z",
  decided: { at: "2026-11-02T12:00:00.000Z", by: "ann" },
};

describe("the lock", () => {
  const wish = "models:/churn@champion";
  const home = process.env["MLPLATFORM_HOME"];
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-lock-"));
  const file = path.join(folder, "models.dev.lock.yaml");

  beforeEach(() => {
    process.env["MLPLATFORM_HOME"] = folder;
    rmSync(file, { force: true });
  });
  after(() => {
    if (home === undefined) delete process.env["MLPLATFORM_HOME"];
    else process.env["MLPLATFORM_HOME"] = home;
    rmSync(folder, { recursive: true });
  });

  it("stands beside the stack's file, and that of dev beside the state of this machine", () => {
    expect(lockFile("dev", "dev")).to.equal(file);
    expect(lockFile("eu", "prod")).to.equal(path.join(projectDir, "models.eu.lock.yaml"));
  });

  it("is read as it was written, and is no file where nothing was decided", () => {
    expect(readLock(file)).to.deep.equal({ decisions: {}, problems: [] });
    rewriteLock(file, "dev", () => ({ [wish]: decision }));
    expect(readFileSync(file, "utf8")).to.match(/^# Which versions .* stack dev serves/);
    expect(decisionsIn(file)).to.deep.equal({ [wish]: decision });
    rewriteLock(file, "dev", () => ({}));
    expect(existsSync(file)).to.equal(false);
  });

  const stack = (more = "server: XGBOOST_SERVER") =>
    stackConfig(
      `mlplatform:context: minikube\nmlplatform:models: [{ name: churn, model: "${wish}", ${more} }]`,
    );

  for (const [text, problem] of [
    ["models: [", /is not YAML/],
    ["models: {}\nmore: 1", /more/],
    ["models: { churn: {} }", /models\.churn/],
    [`models: { "${wish}": { version: 0 } }`, /version/],
    ["models: *nope", /is not YAML/],
    ["<<<<<<< HEAD", /must|expected|Invalid/i],
  ] as const)
    it(`is not taken in part where it is wrong: ${text}`, async () => {
      writeFileSync(file, text);
      expect(() => decisionsIn(file)).to.throw(problem);
      const { error, registered } = await run(stack());
      expect((error as Error).message).to.match(/^models\.dev\.lock\.yaml cannot be read:/);
      expect(registered).to.deep.equal([]);
    });

  it("is told where it cannot be read, with the command of its stack", () => {
    const other = path.join(folder, "models.prod.lock.yaml");
    writeFileSync(other, "models: [");
    expect(() => decisionsIn(other)).to.throw("npm run models -- update --stack prod");
  });

  it("is told where it cannot be read or written", () => {
    expect(readLock(folder).problems[0]).to.include("EISDIR");
    const link = path.join(folder, "link");
    symlinkSync(path.join(folder, "nowhere"), link);
    expect(readLock(link).problems[0]).to.include("ENOENT");
    const below = path.join(file, "lock.yaml");
    writeFileSync(file, "models: {}");
    expect(() => {
      rewriteLock(below, "dev", () => ({ [wish]: decision }));
    }).to.throw(UserError);
  });

  it("is read where it was written before files were compared, and pods then compare nothing", async () => {
    const old = without(decision, "sha256") as Decision;
    rewriteLock(file, "dev", () => ({ [wish]: old }));
    expect(decisionsIn(file)).to.deep.equal({ [wish]: old });
    expect(JSON.stringify((await recorded()).resources)).to.not.include('"name":"MLPLATFORM_FILES"');
  });

  for (const [files, problem] of [
    [{}, "sha256: names no file"],
    [Object.fromEntries([["__proto__", "0".repeat(64)]]), "sha256: names __proto__, which is no file"],
    [{ MLmodel: "12" }, "sha256.MLmodel: is no SHA-256: 64 hexadecimal digits"],
    [{ "../MLmodel": "0".repeat(64) }, /is no path in a folder|Invalid key/],
    [
      Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`tree-${i}`, "0".repeat(64)])),
      "sha256: names too many files",
    ],
  ] as const)
    it(`is wrong where what it says of files is: ${String(problem)}`, () => {
      rewriteLock(file, "dev", () => ({ [wish]: { ...decision, sha256: files } }));
      const said = readLock(file).problems.join();
      if (typeof problem === "string") expect(said).to.equal(`models.${wish}.${problem}`);
      else expect(said).to.match(problem);
    });

  it("says the version that its name says", () => {
    rewriteLock(file, "dev", () => ({ "models:/churn/4": decision }));
    expect(readLock(file).problems).to.deep.equal(["models.models:/churn/4.version: is 3, not 4"]);
  });

  const recorded = (given = stack()) => record(program, given.config, { stack: "dev" });

  it("says whose files are served", async () => {
    rewriteLock(file, "dev", () => ({ [wish]: decision }));
    const { resources, notices } = await recorded();
    const model = resources.find(({ type }) => type.endsWith(":SeldonDeployment"));
    expect(at(model?.inputs, "spec", "predictors", "0", "graph", "modelUri")).to.equal(decision.files);
    const container = at(
      model?.inputs,
      ...["spec", "predictors", "0", "componentSpecs", "0", "spec", "containers", "0"],
    );
    expect(JSON.parse(String(environment(container)["MLPLATFORM_FILES"]))).to.deep.equal(decision.sha256);
    expect(notices.map(({ severity, message }) => `${severity}: ${message}`)).to.deep.equal([
      "info: churn: models:/churn@champion is version 3.",
    ]);
  });

  describe("where the stack names no server", () => {
    const serverOf = async (given: string, lock: "assume" | "read" = "read") => {
      const { resources } = await record(() => program(lock), stack(given).config, { stack: "dev" });
      const model = resources.find(({ type }) => type.endsWith(":SeldonDeployment"));
      return at(model?.inputs, "spec", "predictors", "0", "graph", "implementation");
    };
    const decide = (more: Partial<Decision>) => {
      rewriteLock(file, "dev", () => ({ [wish]: { ...decision, ...more } }));
    };
    const pickle = {
      form: "sklearn-cloudpickle",
      libraries: { "scikit-learn": mlserverLibraries["scikit-learn"] },
    };

    it("takes the one that loads what was decided on", async () => {
      decide({});
      expect(await serverOf("")).to.equal("XGBOOST_SERVER");
      decide(pickle);
      expect(await serverOf("allowCode: true")).to.equal("SKLEARN_SERVER");
      const both = 'allowCode: true, predictors: [{ name: a }, { name: b, model: "models:/churn/4" }]';
      rewriteLock(file, "dev", (now) => ({ ...now, "models:/churn/4": { ...decision, version: 4 } }));
      const named = await run(stack(`${both}, server: SKLEARN_SERVER`));
      expect(String(named.error)).to.include("which SKLEARN_SERVER cannot load");
      expect(String((await run(stack(both))).error)).not.to.include("cannot load");
    });

    it("assumes one as long as nothing is decided, so that its needs are known", async () => {
      expect(await serverOf("", "assume")).to.equal("MLFLOW_SERVER");
    });

    it("is as strict as where the stack names it", async () => {
      decide({});
      const more =
        "protocol: seldon, parameters: { a: 1 }, environment: { PYTHONPATH: { secret: s, key: k } }";
      const refused = async (given: string) => String((await run(stack(given))).error);
      const error = await refused(more);
      expect(error).to.match(/environment\.PYTHONPATH is set by[^]*parameters are for[^]*protocol is seldon/);
      expect(error).to.equal(await refused(`server: XGBOOST_SERVER, ${more}`));
    });

    it("refuses what has no image, and a pickle that nobody has allowed", async () => {
      decide({ form: "sklearn-skops" });
      expect(String((await run(stack(""))).error)).to.include(
        "version 3, and for the packages that it requires nobody has looked",
      );
      decide(pickle);
      expect(String((await run(stack(""))).error)).to.include("write allowCode: true");
    });

    it("takes what the manifest says of a model of the project", async () => {
      const trained = async (name: string) => {
        const models = `[{ name: ${name}, training: { image: ${name}-train } }]`;
        const { config } = stackConfig(`mlplatform:context: minikube\nmlplatform:models: ${models}`);
        const { resources } = await record(() => program("assume"), config, { stack: "dev" });
        const model = resources.find(({ type }) => type.endsWith(":SeldonDeployment"));
        return JSON.stringify(model?.inputs);
      };
      expect(await trained("house-price")).to.include("house-price-serve");
      expect(await trained("wine-quality-xgboost")).to.include('"implementation":"XGBOOST_SERVER"');
    });
  });

  it("leaves out a model for which nothing was decided, and says so", async () => {
    const { resources, notices, outputs } = await recorded();
    expect(resources.some(({ type }) => type.endsWith(":SeldonDeployment"))).to.equal(false);
    expect(outputs).to.deep.include({ models: {} });
    expect(notices.map(({ message }) => message)).to.deep.equal([
      `churn is left out: which version ${wish} is, has not been decided yet. Decide: npm run models -- update`,
    ]);
  });

  for (const [what, change, more, message] of [
    [
      "another library's files",
      { form: "sklearn-cloudpickle" },
      undefined,
      "(sklearn-cloudpickle), which XGBOOST_SERVER cannot load: take server: MLFLOW_SERVER, server: SKLEARN_SERVER or server: mlflow",
    ],
    [
      "files that no server loads",
      { form: "pytorch" },
      undefined,
      "(pytorch), which XGBOOST_SERVER cannot load",
    ],
    [
      "a pickle",
      { form: "sklearn-cloudpickle" },
      "server: MLFLOW_SERVER",
      "which holds a pickle: whoever loads it runs the code of whoever has logged it. Write allowCode: true",
    ],
    [
      "Python files",
      { loading: { by: "mlflow.xgboost", code: ["Python code of its own (code/)"] } },
      "server: MLFLOW_SERVER",
      "which holds Python code of its own (code/): whoever loads it",
    ],
    [
      "no signature",
      { signature: undefined },
      undefined,
      "which has no signature, so that nobody knows what it takes: log it again with input_example=X.head()",
    ],
    [
      "no requirements",
      { libraries: {} },
      undefined,
      "which does not say with which xgboost it was logged: XGBOOST_SERVER may answer otherwise",
    ],
    [
      "files elsewhere",
      { files: "s3://other/m/1" },
      undefined,
      'in bucket "other", and model servers may read "models" only',
    ],
    [
      "files of a newer library",
      { libraries: { xgboost: "3.1.3" } },
      undefined,
      "logged with xgboost 3.1.3, and XGBOOST_SERVER has 2.1.2: it may answer otherwise",
    ],
  ] as const)
    it(`is compared with the server at preview: ${what}`, async () => {
      rewriteLock(file, "dev", () => ({ [wish]: { ...decision, ...change } as Decision }));
      const { error } = await run(stack(more));
      expect((error as Error).message)
        .to.include(`models[0].model is ${wish}, version 3`)
        .and.include(message);
    });

  it("is compared as a whole: all that is wrong is told at once", async () => {
    const wrong = {
      form: "sklearn-cloudpickle",
      libraries: { "scikit-learn": "1.7.2" },
      signature: undefined,
    };
    rewriteLock(file, "dev", () => ({ [wish]: { ...decision, ...wrong, files: "s3://other/m/1" } }));
    const { error } = await run(stack("server: SKLEARN_SERVER"));
    const lines = (error as Error).message.split("\n").filter((line) => line.includes(`${wish}, version 3`));
    for (const part of ['bucket "other"', "a pickle", "no signature", "logged with scikit-learn 1.7.2"])
      expect(
        lines.filter((line) => line.includes(part)),
        part,
      ).to.have.length(1);
    expect(lines).to.have.length(4);
  });

  it("lets XGBOOST_SERVER read trees whatever code lies beside them: it runs none", async () => {
    const loading = { by: "mlflow.xgboost", code: ["Python code of its own (code/)"] };
    rewriteLock(file, "dev", () => ({ [wish]: { ...decision, loading } }));
    expect((await run(stack())).error).to.equal(undefined);
  });
});
