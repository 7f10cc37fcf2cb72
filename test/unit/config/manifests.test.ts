import { readFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import { mlAppDir } from "../../../cli/paths";
import { type Manifest, hasOwnServer, manifests, readManifest } from "../../../config/manifests";

describe("a manifest of a model on a standard server", () => {
  const [standard] = manifests.filter(
    (one) => !hasOwnServer(one) && one.training.writes.endsWith("pickle"),
  ) as [Manifest];
  const text = readFileSync(path.join(mlAppDir, standard.folder, "model.json"), "utf8");

  it("says who speaks which protocol, and reads what", () => {
    expect(standard.serving).to.include({ server: "SKLEARN_SERVER", protocol: "v2" });
    expect(standard.serving.reads).to.include(standard.training.writes);
  });

  it("is refused where its server would load a pickle that nobody has allowed", () => {
    const silent = text.replace(/,\s*"allowPickle": true/, "");
    expect(silent).not.to.equal(text);
    expect(() => readManifest("x", silent)).to.throw(
      'ml-app/x/model.json: sklearn-cloudpickle runs code when it is loaded; say "allowPickle": true under serving',
    );
  });

  it("is refused where its server cannot read what its training writes", () => {
    const other = text.replace("SKLEARN_SERVER", "XGBOOST_SERVER");
    expect(() => readManifest("x", other)).to.throw(
      "ml-app/x/model.json: what serves it reads xgboost-json, xgboost-ubj, not sklearn-cloudpickle",
    );
  });
});
