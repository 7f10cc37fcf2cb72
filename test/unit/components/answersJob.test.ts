import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { rewriteLock } from "../../../cli/registry/lockFile";
import { answersVariable } from "../../../config/answers";
import { checksumsText, checksumsVariable } from "../../../config/checksums";
import { type Decision, lockFile } from "../../../config/lock";
import { imagePython, mlflowImage } from "../../../config/mlflowServer";
import program from "../../../index";
import { policyResources } from "../../../cli/plan/policy";
import { findings } from "../../../policy/rules";
import { stackConfig } from "../config/support";
import { decisionOn } from "../support/decision";
import { record } from "../support/recorder";
import { Created, at } from "./support/created";

describe("the answers of a model that others have logged", () => {
  const wish = "models:/churn@champion";
  const home = process.env["MLPLATFORM_HOME"];
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-answers-"));
  const environment = { python: imagePython, packages: ["xgboost-cpu==2.1.2"] };
  const sha256 = { MLmodel: "0".repeat(64) };
  const trees: Decision = {
    ...decisionOn(3, "xgboost-ubj", { xgboost: "2.1.2" }),
    loading: { by: "mlflow.xgboost", python: imagePython, code: [] },
    compared: "example",
    environment,
    sha256,
  };

  beforeEach(() => (process.env["MLPLATFORM_HOME"] = folder));
  after(() => {
    if (home === undefined) delete process.env["MLPLATFORM_HOME"];
    else process.env["MLPLATFORM_HOME"] = home;
    rmSync(folder, { recursive: true });
  });

  const recorded = (decision: Partial<Decision>, more = "", others = {}, rest = "") => {
    rewriteLock(lockFile("dev", "dev"), "dev", () => ({ [wish]: { ...trees, ...decision }, ...others }));
    const { config } = stackConfig(
      `mlplatform:context: minikube\nmlplatform:models: [{ name: churn, model: "${wish}"${more} }]\n` +
        `mlplatform:serving: { istio: {} }\nmlplatform:frontend: { enabled: false }\n${rest}`,
    );
    return record(program, config, { stack: "dev" });
  };
  const created = async (...args: Parameters<typeof recorded>) => new Created(await recorded(...args));
  const jobs = (found: Created) =>
    found
      .all("Job")
      .map(({ name }) => name)
      .filter((name) => name.includes("answers"));
  const pod = (found: Created) =>
    at(
      found.inputs("SeldonDeployment", "churn-seldon"),
      ..."spec.predictors.0.componentSpecs.0.spec".split("."),
    );
  const use = (found: Created) =>
    (at(pod(found), "containers", "0", "env") as { name: string; value?: string }[]).find(
      ({ name }) => name === answersVariable,
    )?.value;

  it("are computed by its own libraries before a prepackaged server is compared with them", async () => {
    const found = await created({});
    expect(jobs(found)).to.deep.equal(["churn-answers-3-job"]);
    const job = at(found.inputs("Job", "churn-answers-3-job"), "spec", "template", "spec", "containers", "0");
    expect(at(job, "image")).to.equal(found.inputs("Image")["imageName"]);
    expect(at(job, "command")).to.deep.equal([
      ...["python", "-W", "ignore", "-m", "standardserver.expected"],
      ...["--at", "mlflow-artifacts:/1/models/m-3/artifacts"],
    ]);
    expect(at(job, "env")).to.deep.include({ name: checksumsVariable, value: checksumsText(sha256) });
    expect(JSON.stringify(at(job, "env")), "keys of the store").not.to.match(/secret/i);
    expect(at(pod(found), "containers", "0", "image")).to.match(/mlserver:1\.7\.1-xgboost$/);
    expect(use(found)).to.equal("required");
    expect(found.before("SeldonDeployment", "churn-seldon")).to.include("Job churn-answers-3-job");
    for (const [kind, name] of [
      ["SeldonDeployment", "churn-seldon"],
      ["Job", "churn-answers-3-job"],
    ] as const)
      expect(found.before(kind, name), "what stands beside MLServer").to.include(
        "ConfigMap mlplatform-models-server",
      );
    expect(found.before("Job", "churn-answers-3-job")).to.include(
      `Image mlplatform-images-${mlflowImage(environment)}-build`,
    );
  });

  it("are there before a table is scored, which is compared with them, too", async () => {
    const table =
      "{ name: all, model: churn, input: s3://datasets/a.csv, output: 's3://predictions/a-{version}.csv' }";
    const scoring = { environment: { ...environment, scoring: ["pyarrow==25.0.1"] } };
    const found = await created(scoring, "", {}, `mlplatform:batch: [${table}]`);
    expect(found.before("Job", "mlplatform-batch-all-job")).to.include("Job churn-answers-3-job");
  });

  it("are waited for by tables of the same model alone, where others serve the version, too", async () => {
    const table =
      "{ name: all, model: churn, input: s3://datasets/a.csv, output: 's3://predictions/a-{version}.csv' }";
    const scoring = { environment: { ...environment, scoring: ["pyarrow==25.0.1"] } };
    const twin = `, parity: off }, { name: twin, model: "${wish}"`;
    const found = await created(scoring, twin, {}, `mlplatform:batch: [${table}]`);
    expect(jobs(found)).to.deep.equal(["twin/churn-answers-3-job"]);
    expect(found.before("Job", "mlplatform-batch-all-job")).not.to.include("Job twin/churn-answers-3-job");
  });

  it("have names of their own where a node of a graph and a model would share one", async () => {
    const node = `{ name: b, server: XGBOOST_SERVER, model: "${wish}" }`;
    const other = "{ name: c, server: XGBOOST_SERVER, model: s3://models/c }";
    const graph = `{ name: a, graph: { name: avg, image: average-unit, children: [${node}, ${other}] } }`;
    const twin = ` }, { name: a-b, server: XGBOOST_SERVER, model: "models:/twin@champion" }, ${graph}, { name: d, model: s3://models/d, image: x.io/d:1`;
    const found = await created({}, twin, { "models:/twin@champion": trees });
    expect(jobs(found)).to.have.members([
      "a-b/twin-answers-3-job",
      "a/b/churn-answers-3-job",
      "churn-answers-3-job",
    ]);
    const inCluster = found.all("Job").map(({ inputs }) => at(inputs, "metadata", "name"));
    expect(inCluster, "names").to.have.lengthOf(new Set(inCluster).size);
  });

  it("have names of their own where predictors are of several models, and short ones in the cluster", async () => {
    const other = { "models:/other@champion": { ...trees, files: trees.files.replace("m-3", "o-3") } };
    const predictors = `, server: XGBOOST_SERVER, predictors: [{ name: a, traffic: 50 }, { name: b, traffic: 50, model: "models:/other@champion" }]`;
    const node = (name: string) => `{ name: ${name}, server: XGBOOST_SERVER, model: "${wish}" }`;
    const long = `${"g".repeat(36)}, graph: { name: avg, image: average-unit, children: [${node("n".repeat(40))}, ${node("m")}] }`;
    const found = await created({}, `${predictors} }, { name: ${long}`, other);
    expect(jobs(found)).to.include.members(["churn-answers-3-job", "churn/other-answers-3-job"]);
    for (const { inputs } of found.all("Job"))
      expect(String(at(inputs, "metadata", "name"))).to.match(/^[a-z0-9-]{1,63}$/);
  });

  it("are computed once for each version", async () => {
    const four = { "models:/churn/4": { ...trees, version: 4, files: trees.files.replace("m-3", "m-4") } };
    const predictors =
      ', predictors: [{ name: default, traffic: 100 }, { name: b, model: "models:/churn/4" }]';
    const found = await created({}, predictors, four);
    expect(jobs(found)).to.deep.equal(["churn-answers-3-job", "churn-answers-4-job"]);
    const inCluster = ["Job", "ConfigMap"].flatMap((kind) =>
      found.all(kind).map(({ inputs }) => `${kind} ${String(at(inputs, "metadata", "name"))}`),
    );
    expect(inCluster, "names").to.have.lengthOf(new Set(inCluster).size);
  });

  it("are not computed where training has recorded some, nobody knows, or the stack says so", async () => {
    for (const [decision, more, ignored] of [
      [{ compared: "training" }, "", undefined],
      [{ compared: undefined }, "", undefined],
      // They may be there all the same, from before.
      [{}, ", parity: off", "ignored"],
    ] as const) {
      const found = await created(decision, more);
      expect(jobs(found)).to.deep.equal([]);
      expect(found.all("Image")).to.deep.equal([]);
      expect(use(found)).to.equal(ignored);
    }
  });

  it("need packages that somebody has looked for", async () => {
    const refusal = await recorded({ environment: undefined }).catch(String);
    expect(refusal).to.include("version 3, and for the packages that it requires nobody has looked");
  });

  it("are computed by pods that keep to the policies", async () => {
    const wrong = findings(policyResources(await recorded({})), "dev");
    expect(wrong.filter(({ resource }) => resource.includes("answers"))).to.deep.equal([]);
  });
});
