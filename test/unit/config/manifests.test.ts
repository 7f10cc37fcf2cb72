import { readFileSync } from "node:fs";
import * as path from "node:path";

import { expect } from "chai";

import { mlAppDir } from "../../../cli/paths";
import {
  type Manifest,
  hasOwnServer,
  manifests,
  readManifest,
  trainingLock,
} from "../../../config/manifests";
import { pinnedIn, untrustedLibrary } from "../../../config/servers";

describe("what has written a model's file", () => {
  const trained = (package_: string, version: string) =>
    `numpy==1.26.4 \\\n${package_}==${version} \\\n    --hash=sha256:a\n`;
  const untrusted = (form: string, package_: string, version: string) => {
    const found = untrustedLibrary(form, pinnedIn(trained(package_, version)));
    return found && `${found.library} ${found.trained}, served with ${found.served}`;
  };

  it("is trusted with the servers' own versions, as all models of the project have them", () => {
    for (const one of manifests.filter((manifest) => !hasOwnServer(manifest)))
      expect(untrustedLibrary(one.training.writes, pinnedIn(trainingLock(one))), one.name).to.equal(
        undefined,
      );
    expect(untrusted("xgboost-json", "xgboost-cpu", "2.0.3")).to.equal(undefined);
  });

  it("is not trusted where it is newer, or a pickle of another version", () => {
    expect(untrusted("xgboost-json", "xgboost-cpu", "3.1.3")).to.equal("xgboost 3.1.3, served with 2.1.2");
    expect(untrusted("xgboost-ubj", "xgboost", "2.2.0")).to.equal("xgboost 2.2.0, served with 2.1.2");
    for (const version of ["1.4.2", "1.7.2"])
      expect(untrusted("sklearn-cloudpickle", "scikit-learn", version)).to.equal(
        `scikit-learn ${version}, served with 1.5.2`,
      );
  });
});

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
    const silent = text.replace(/,\s*"allowCode": true/, "");
    expect(silent).not.to.equal(text);
    expect(() => readManifest("x", silent)).to.throw(
      'ml-app/x/model.json: sklearn-cloudpickle runs code when it is loaded; say "allowCode": true under serving',
    );
  });

  it("is refused where its server cannot read what its training writes", () => {
    const other = text.replace("SKLEARN_SERVER", "XGBOOST_SERVER");
    expect(() => readManifest("x", other)).to.throw(
      "ml-app/x/model.json: what serves it reads xgboost-json, xgboost-ubj, not sklearn-cloudpickle",
    );
  });
});
