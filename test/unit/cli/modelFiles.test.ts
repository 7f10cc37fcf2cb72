import { expect } from "chai";
import { stringify } from "yaml";

import { UserError } from "../../../cli/errors";
import { environmentOf, filesOf, findRegistered } from "../../../cli/local/registered";
import { MlflowClient } from "../../../cli/mlflow";
import { codeIn, readModelFile } from "../../../cli/modelFiles";
import { Environments } from "../../../cli/python";
import { rejection } from "../support/rejection";

/** An `MLmodel` with these flavours. */
const modelFile = (general: object, libraries: object = {}) =>
  readModelFile(stringify({ flavors: { python_function: general, ...libraries } }), "churn version 1");

describe("what runs when a model is loaded", () => {
  const sklearn = { loader_module: "mlflow.sklearn", model_path: "model.skops" };

  it("is nothing where it is data alone", () => {
    const trusted = ["lightgbm.basic.Booster", "collections.OrderedDict", "sklearn.pipeline.Pipeline"];
    const booster = { data: "model.skops", model_class: "lightgbm.sklearn.LGBMRegressor" };
    const plain: [string, object][] = [
      ["sklearn", { pickled_model: "model.skops", serialization_format: "skops", skops_trusted_types: null }],
      ["lightgbm", { ...booster, serialization_format: "skops", skops_trusted_types: trusted }],
      ["lightgbm", { data: "model.lgb" }],
      ["xgboost", { data: "model.ubj", model_format: "ubj", model_class: "xgboost.sklearn.XGBRegressor" }],
    ];
    for (const [library, one] of plain)
      expect(
        codeIn(modelFile({ loader_module: `mlflow.${library}` }, { [library]: one })),
        library,
      ).to.deep.equal([]);
  });

  it("is what the loader reads, whatever stands beside it or a file is called", () => {
    const said = (library: string, flavor: object, beside: object = {}) =>
      codeIn(modelFile({ loader_module: `mlflow.${library}` }, { ...beside, [library]: flavor }));
    expect(
      codeIn(modelFile({ loader_module: "mlflow.sklearn" }, { xgboost: { data: "m.ubj" } })),
    ).to.have.length(1);
    expect(
      said("sklearn", { pickled_model: "model.skops", serialization_format: "cloudpickle" }),
    ).to.deep.equal(["a pickle (model.skops)"]);
    expect(said("lightgbm", { data: "x.lgb", model_class: "lightgbm.sklearn.LGBMRegressor" })).to.deep.equal([
      "a pickle (x.lgb)",
    ]);
    expect(said("xgboost", { data: "m.ubj", model_class: "shop.Trees" })).to.deep.equal([
      "a class (shop.Trees)",
    ]);
  });

  it("is named: pickles, code, scripts, types of others, loaders that nobody knows", () => {
    const said = (general: object, libraries?: object) => codeIn(modelFile(general, libraries)).join("; ");
    expect(
      said(sklearn, { sklearn: { pickled_model: "model.pkl", serialization_format: "cloudpickle" } }),
    ).to.equal("a pickle (model.pkl)");
    expect(said(sklearn, { sklearn: { pickled_model: "model.pkl" } })).to.equal("a pickle (model.pkl)");
    const skops = {
      pickled_model: "model.skops",
      serialization_format: "skops",
      skops_trusted_types: ["shop.Clean"],
    };
    expect(said({ ...sklearn, code: "code" }, { sklearn: skops })).to.equal(
      "Python code of its own (code/); types of others (shop.Clean)",
    );
    expect(said({ loader_module: "mlflow.pyfunc.model", python_model: "python_model.pkl" })).to.equal(
      "a pickle (python_model.pkl)",
    );
    expect(said({ loader_module: "mlflow.pyfunc.model", model_code_path: "shop.py" })).to.equal(
      "a script (shop.py)",
    );
    expect(said({ loader_module: "shop.loader" })).to.equal("a loader of its own (shop.loader)");
    expect(said({ loader_module: "mlflow.pytorch" }, { pytorch: { model_data: "data" } })).to.equal(
      "what the loader for pytorch reads, which may be a pickle",
    );
  });

  it("is not known of what MLflow has not written", () => {
    for (const text of ["", "no: yes", "[", "flavors: {sklearn: {}}"])
      expect(() => readModelFile(text, "churn version 1")).to.throw(
        UserError,
        /^churn version 1: its MLmodel/,
      );
  });
});

describe("a version in the registry of this machine", () => {
  it("has files of its own, also where a model was deleted and registered again", () => {
    const version = { name: "churn", version: "1", runId: "", tags: {} };
    const folders = ["models:/m-1", "models:/m-2"].map((source) => filesOf({ ...version, source }));
    expect(folders[0]).to.not.equal(folders[1]);
  });

  const described = stringify({
    flavors: { python_function: { loader_module: "mlflow.xgboost", python_version: "3.12.1" }, xgboost: {} },
    signature: { inputs: "[]" },
  });

  /** A registry with the model `churn`, whose only version has these files. */
  function registry(files: Readonly<Record<string, string>>, aliases: readonly string[] = []): MlflowClient {
    const version = { name: "churn", version: "1", run_id: "r1" };
    return new MlflowClient("http://mlflow", (url) => {
      const { pathname, searchParams } = new URL(url);
      const json = (content: unknown) => Promise.resolve(Response.json(content));
      if (pathname.endsWith("/registered-models/alias"))
        return aliases.includes(searchParams.get("alias") ?? "")
          ? json({ model_version: version })
          : Promise.resolve(new Response("Registered model alias champion not found.", { status: 400 }));
      if (pathname.endsWith("/model-versions/search")) return json({ model_versions: [version] });
      if (pathname.endsWith("/get-download-uri")) return json({ artifact_uri: "mlflow-artifacts:/1/m" });
      if (pathname.endsWith("/artifacts"))
        return json({ files: Object.keys(files).map((file) => ({ path: file, is_dir: false })) });
      return Promise.resolve(new Response(files[pathname.split("/").at(-1) ?? ""]));
    });
  }

  it("is the champion, else the newest one, with what it requires", async () => {
    const files = { MLmodel: described, "requirements.txt": "xgboost==3.0.5\n" };
    const newest = await findRegistered(registry(files), "churn", []);
    expect(newest).to.deep.include({ isChampion: false, requirements: "xgboost==3.0.5\n", code: [] });
    expect((await findRegistered(registry(files, ["champion"]), "churn", [])).isChampion).to.equal(true);
  });

  it("is refused without files, signature or requirements, and under a name that is no file's", async () => {
    const refusal = async (files: Readonly<Record<string, string>>, name = "churn") =>
      (await rejection(findRegistered(registry(files), name, []))).message;
    expect(await refusal({})).to.match(/its files are gone/);
    expect(
      await refusal({ MLmodel: described.replace("inputs", "outputs"), "requirements.txt": "" }),
    ).to.match(/^churn version 1 has no signature/);
    expect(await refusal({ MLmodel: described })).to.match(/^churn version 1 has no requirements\.txt/);
    for (const name of ["..", "my model", "mlflow"])
      expect(await refusal({ MLmodel: described }, name)).to.match(/cannot be served under this name/);
  });

  it("with code is loaded by the Python that has logged it alone", async () => {
    const version = { name: "churn", version: "1", runId: "", tags: {} };
    const found = { version, isChampion: false, code: ["a pickle"], requirements: "" };
    const environments = new Environments(new AbortController().signal, "/no/python");
    const step = { detail: () => undefined };
    const refusal = async (python: string) =>
      (
        await rejection(
          environmentOf({ ...found, file: { flavors: {}, recorded: false, python } }, environments, step),
        )
      ).message;
    expect(await refusal("3.13")).to.match(
      /^churn version 1: it was logged with Python 3\.13, and .*3\.12, 3\.11 and 3\.10/,
    );
    expect(await refusal("3.10")).to.match(
      /^churn version 1: it was logged with Python 3\.10, .*; the Python that was named cannot be used: there is no program \/no\/python/,
    );
  });
});
