import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { imagesOf } from "../../../cli/plan/images";
import { policyResources } from "../../../cli/plan/policy";
import { rewriteLock } from "../../../cli/registry/lockFile";
import { appImageBuilds } from "../../../cli/cluster/images";
import { type Decision, lockFile } from "../../../config/lock";
import { imagePython, mlflowImage } from "../../../config/mlflowServer";
import { checkImages } from "../../../components/images/schema";
import type { ModelConfig } from "../../../config/models";
import program from "../../../index";
import { mlserverLibraries } from "../../../pins";
import { findings } from "../../../policy/rules";
import { stackConfig } from "../config/support";
import { decisionOn } from "../support/decision";
import { record } from "../support/recorder";
import { Created, at, without } from "./support/created";

const packages = ["lightgbm==4.6.0", "mlserver==1.7.1", "torch==2.9.0+cpu"];
const environment = { python: imagePython, packages };

describe("a model that no prepackaged server can be trusted with", () => {
  const wish = "models:/churn@champion";
  const home = process.env["MLPLATFORM_HOME"];
  const folder = mkdtempSync(path.join(tmpdir(), "mlplatform-mlflow-server-"));
  const skops: Decision = {
    ...decisionOn(3, "sklearn-skops", { "scikit-learn": "1.7.2" }),
    loading: { by: "mlflow.sklearn", python: imagePython, code: [] },
    environment,
  };

  beforeEach(() => {
    process.env["MLPLATFORM_HOME"] = folder;
    rmSync(lockFile("dev", "dev"), { force: true });
    decide({ [wish]: skops });
  });
  after(() => {
    if (home === undefined) delete process.env["MLPLATFORM_HOME"];
    else process.env["MLPLATFORM_HOME"] = home;
    rmSync(folder, { recursive: true });
  });

  const decide = (decisions: Readonly<Record<string, Decision>>, stack = "dev") => {
    rewriteLock(lockFile(stack, "dev"), stack, () => decisions);
  };
  const churn = `{ name: churn, model: "${wish}" }`;
  const recorded = (models = churn, more = "") => {
    const { config } = stackConfig(
      `mlplatform:context: minikube\nmlplatform:frontend: { enabled: false }\nmlplatform:models: [${models}]\n${more}`,
    );
    return record(program, config, { stack: "dev" });
  };
  const created = async (models?: string, more?: string) => new Created(await recorded(models, more));
  const refused = async (models?: string, more?: string) => {
    const failed = recorded(models, more).then(
      () => "it was not refused",
      (error: unknown) => (error as Error).message,
    );
    return failed;
  };
  const containers = (one: Created, name = "churn-seldon") =>
    (at(one.inputs("SeldonDeployment", name), "spec", "predictors") as object[]).map((predictor) => ({
      implementation: at(predictor, "graph", "implementation"),
      image: at(predictor, "componentSpecs", "0", "spec", "containers", "0", "image"),
    }));

  it("is served by MLServer for MLflow, in an image of the packages that it requires", async () => {
    const found = await created();
    const build = found.inputs("Image");
    expect(at(build, "build", "dockerfile")).to.equal("ml-app/mlflow_server/Dockerfile");
    expect(at(build, "build", "args", "PACKAGES")).to.equal(packages.join(" "));
    const reference = String(build["imageName"]);
    expect(reference).to.match(/^localhost\/mlplatform\/mlflow-server:[0-9a-f]{12}$/);
    expect(containers(found)).to.deep.equal([{ implementation: "MLFLOW_SERVER", image: reference }]);
    expect(found.before("SeldonDeployment", "churn-seldon")).to.include(
      `Image mlplatform-images-${mlflowImage(environment)}-build`,
    );
    expect(at(found.inputs("SeldonDeployment", "churn-seldon"), "spec", "protocol")).to.equal("v2");
  });

  it("gets what stands beside MLServer, and its bounds, as on the prepackaged servers", async () => {
    const own = (await created()).inputs("SeldonDeployment", "churn-seldon");
    decide({
      [wish]: {
        ...skops,
        form: "xgboost-ubj",
        libraries: { xgboost: "2.1.2" },
      },
    });
    const prepackaged = (await created(`{ name: churn, model: "${wish}", server: MLFLOW_SERVER }`)).inputs(
      "SeldonDeployment",
      "churn-seldon",
    );
    const withoutImage = (deployment: unknown) =>
      JSON.stringify(at(deployment, "spec", "predictors", "0", "componentSpecs", "0", "spec")).replace(
        /"image":"[^"]*"/,
        '"image":""',
      );
    expect(withoutImage(own)).to.equal(withoutImage(prepackaged));
  });

  it("is one image for all versions with the same packages, and another for others", async () => {
    const others = { ...environment, packages: ["lightgbm==4.5.0", ...packages.slice(1)] };
    decide({
      [wish]: skops,
      "models:/churn/4": {
        ...skops,
        version: 4,
        environment: { ...environment, packages: [...packages].reverse() },
      },
      "models:/churn/5": { ...skops, version: 5, environment: others },
    });
    const three =
      'predictors: [{ name: a, traffic: 100 }, { name: b, model: "models:/churn/4" }, { name: c, model: "models:/churn/5" }]';
    const found = await created(
      `{ name: churn, model: "${wish}", ${three} }`,
      "mlplatform:serving: { istio: {} }\nmlplatform:modelQuota: { cpu: '8', memory: 16Gi }",
    );
    const [a, b, c] = containers(found).map(({ image }) => image);
    expect(a).to.equal(b);
    expect(c).not.to.equal(a);
    expect(found.all("Image")).to.have.length(2);
  });

  it("scores tables in an image of its packages and of what reads tables, by code that is mounted", async () => {
    const table =
      "mlplatform:batch: [{ name: scores, model: churn, input: s3://datasets/a.csv, output: 's3://predictions/{version}.csv' }]";
    expect(await refused(churn, table)).to.contain(
      'mlplatform:batch[0].model is "churn", which is models:/churn@champion, version 3, and for what scores tables with the ' +
        "packages that it requires nobody has looked. Decide again: npm run models -- update",
    );
    const scoring = [...packages, "pyarrow==25.0.1"];
    decide({ [wish]: { ...skops, environment: { ...environment, scoring } } });
    const found = await created(churn, table);
    const job = found.inputs("Job", "mlplatform-batch-scores-job");
    const container = at(job, "spec", "template", "spec", "containers", "0");
    const built = found
      .all("Image")
      .find(({ inputs }) => at(inputs, "build", "args", "PACKAGES") === scoring.join(" "))?.inputs;
    expect(at(container, "image"))
      .to.equal(at(built, "imageName"))
      .and.not.equal(containers(found)[0]?.image);
    expect(at(container, "args", "0")).to.equal("--name");
    expect(at(container, "env")).to.deep.include({ name: "PYTHONPATH", value: "/opt/mlplatform" });
    const { configMap } =
      (at(job, "spec", "template", "spec", "volumes") as { configMap?: object }[])[1] ?? {};
    expect(at(configMap, "items")).to.deep.include({ key: "batch.anymodel.py", path: "batch/anymodel.py" });
    const code = found.inputs("ConfigMap", "mlplatform-batch-code");
    expect(at(code, "metadata", "name")).to.equal(at(configMap, "name"));
    expect(JSON.stringify(at(code, "data")).length).to.be.lessThan(800_000);
    expect(found.before("Job", "mlplatform-batch-scores-job")).to.include("ConfigMap mlplatform-batch-code");
  });

  it("is taken as it is where it is built elsewhere, by the name that its packages give it", async () => {
    const name = mlflowImage(environment);
    expect(name).to.match(/^mlflow-server-[0-9a-f]{12}$/);
    const built = `mlplatform:images: { prebuilt: { ${name}: "registry.example.com/churn-server:1" } }`;
    const found = await created(churn, built);
    expect(found.all("Image")).to.deep.equal([]);
    expect(containers(found)[0]?.image).to.equal("registry.example.com/churn-server:1");
  });

  it("is known to what builds images for a cluster, by its name", async () => {
    const builds = appImageBuilds(await recorded());
    expect(builds.map(({ name }) => name)).to.deep.equal([mlflowImage(environment)]);
    expect(builds[0]?.args["PACKAGES"]).to.equal(packages.join(" "));
  });

  it("keeps to the policies, with images that are known", async () => {
    const recording = await recorded();
    const resources = policyResources(recording);
    const wrong = findings(resources, "dev").filter(({ resource }) => /churn|mlflow-server/.test(resource));
    expect(wrong).to.deep.equal([]);
    const own = imagesOf(recording).filter(({ reference }) => reference.includes("/mlflow-server:"));
    expect(own.map(({ built }) => built)).to.deep.equal([true]);
  });

  it("is served by the prepackaged one where that has what it requires, though the stack says mlflow", async () => {
    const rest = without(skops, "environment") as Decision;
    decide({ [wish]: { ...rest, form: "xgboost-ubj", libraries: { xgboost: "2.1.2" } } });
    const found = await created(`{ name: churn, model: "${wish}", server: mlflow }`);
    expect(containers(found)[0]?.image).to.equal("docker.io/seldonio/mlserver:1.7.1-mlflow");
  });

  it("is refused where nobody has looked for its packages, or for another Python", async () => {
    const rest = without(skops, "environment") as Decision;
    decide({ [wish]: rest });
    expect(await refused()).to.include(
      `models[0].model is ${wish}, version 3, and for the packages that it requires nobody has looked. Decide again: ` +
        "npm run models -- update",
    );
    decide({ [wish]: { ...skops, environment: { ...environment, python: "3.9" } } });
    expect(await refused()).to.include(
      "version 3, whose packages are those for Python 3.9, and the images have",
    );
  });

  it("is refused where no Python loads it, Java would have to, or code of another Python", async () => {
    const loaded = async (loading: Decision["loading"], more = "") => {
      decide({ [wish]: { ...skops, form: "odd", loading } });
      return refused(`{ name: churn, model: "${wish}"${more} }`);
    };
    expect(await loaded({ code: [] })).to.include("version 3 (odd), which no Python loads");
    expect(await loaded({ by: "mlflow.spark", code: [] })).to.include(
      "mlflow.spark loads, and that needs Java",
    );
    const pickle = { by: "mlflow.pyfunc.model", python: "3.9", code: ["a pickle (python_model.pkl)"] };
    expect(await loaded(pickle, ", allowCode: true")).to.include(
      "logged with Python 3.9, and what it holds of code",
    );
    expect(await loaded({ ...pickle, python: imagePython })).to.include("Write allowCode: true if only");
    expect(await loaded({ ...pickle, python: imagePython }, ", allowCode: true")).to.equal(
      "it was not refused",
    );
    expect(await loaded({ by: "mlflow.sklearn", python: "3.9", code: [] }), "data alone").to.equal(
      "it was not refused",
    );
  });

  it("takes nothing from a lock for a package that is none", async () => {
    decide({ [wish]: { ...skops, environment: { ...environment, packages: ["a==1; rm -rf /"] } } });
    expect(await refused()).to.match(/^models\.dev\.lock\.yaml cannot be read:[^]*is no package==version/);
  });

  it("is what a prepackaged server would answer otherwise, or could not read", async () => {
    const pickle: Decision = {
      ...decisionOn(3, "sklearn-cloudpickle", { "scikit-learn": mlserverLibraries["scikit-learn"] }),
      loading: { by: "mlflow.sklearn", python: imagePython, code: ["a pickle (model.pkl)"] },
      environment,
    };
    const allowed = `{ name: churn, model: "${wish}", allowCode: true }`;
    const imageOf = async (change: Partial<Decision>) => {
      decide({ [wish]: { ...pickle, ...change } });
      return containers(await created(allowed))[0]?.image;
    };
    const own = /\/mlflow-server:/;
    expect(await imageOf({})).to.equal("docker.io/seldonio/mlserver:1.7.1-sklearn");
    const { code, ...loading } = pickle.loading ?? { code: [] };
    const probabilities = { ...loading, code, answers: "predict_proba" };
    expect(await imageOf({ loading: probabilities })).to.equal("docker.io/seldonio/mlserver:1.7.1-mlflow");
    expect(
      await imageOf({ loading: { ...loading, code: [...code, "Python code of its own (code/)"] } }),
    ).to.match(own);
    expect(await imageOf({ libraries: { ...pickle.libraries, numpy: "1.24.0" } })).not.to.match(own);
    expect(await imageOf({ libraries: { ...pickle.libraries, numpy: "2.1.0" } })).to.match(own);
  });

  it("is named where its image would stay out of reach", () => {
    const models = [{ name: "churn", model: wish, server: "mlflow" } as ModelConfig];
    const images = { buildArgs: {}, prebuilt: {}, network: "default" } as const;
    const told = (prebuilt: Readonly<Record<string, string>>) =>
      checkImages({ environment: "prod", images: { ...images, prebuilt }, models }, { [wish]: skops });
    expect(told({})[0]?.message).to.include(
      `is missing: ${mlflowImage(environment)} would stay in the local Docker`,
    );
    expect(told({ [mlflowImage(environment)]: "registry.example.com/churn-server:1" })).to.deep.equal([]);
  });
});
