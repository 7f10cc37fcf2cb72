import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";
import { stringify } from "yaml";

import { settingsFile } from "../../../cli/engine/settings";
import { UserError } from "../../../cli/errors";
import { projectDir } from "../../../cli/paths";
import { TestStack } from "../../e2e/testStack";

const resources = { cpu: "100m" };
const model = (parameters?: object) => ({
  name: "house-price",
  image: "house-price-serve",
  resources,
  training: { image: "house-price-train", ...(parameters && { parameters }) },
});
/** All models of the project; the test is about house-price. */
const models = (parameters?: object) => [
  { name: "digits", image: "digits-serve", resources, training: { image: "digits-train" } },
  model(parameters),
  {
    name: "wine-quality-sklearn",
    server: "SKLEARN_SERVER",
    resources,
    allowCode: true,
    training: { image: "wine-quality-sklearn-train" },
  },
  {
    name: "wine-quality-xgboost",
    server: "XGBOOST_SERVER",
    resources,
    allowCode: false,
    training: { image: "wine-quality-xgboost-train" },
  },
];
const prebuilt = { "house-price-serve": "registry.example/serve:1" };

describe("end to end: the stack of the test", () => {
  const before = { ...process.env };
  let folder: string;

  /** A stack on a cluster for which `E2E_CONFIG` names a file with this text. */
  const stackWith = (text: string) => {
    process.env["E2E_CONFIG"] = path.join(folder, "Pulumi.lab.yaml");
    writeFileSync(process.env["E2E_CONFIG"], text);
    return new TestStack("lab");
  };

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "mlplatform-stack-"));
    delete process.env["E2E_CONFIG"];
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    for (const name of Object.keys(process.env))
      if (!(name in before)) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, before);
  });

  it("is a development stack in the test's cluster with the test's models and their page", () => {
    const plain = {
      "mlplatform:environment": "dev",
      "mlplatform:context": "lab",
      "mlplatform:frontend": { enabled: true },
      "mlplatform:models": models(),
    };
    expect(new TestStack("lab").config()).to.deep.equal(plain);
    process.env["E2E_CONFIG"] = "";
    expect(new TestStack("lab").config()).to.deep.equal(plain);
  });

  it("has the parameters that a model is to be trained with", () => {
    expect(
      new TestStack("lab").config({ "house-price": { "n-estimators": 150 } })["mlplatform:models"],
    ).to.deep.equal(models({ "n-estimators": 150 }));
  });

  it("has what E2E_CONFIG says of the cluster, and its own context and models", () => {
    const config = {
      "mlplatform:mirror": "registry.example/mirror",
      "mlplatform:images": { prebuilt },
      "mlplatform:environment": "staging",
      "mlplatform:context": "prod",
      "mlplatform:models": [],
    };
    expect(stackWith(stringify({ config })).config()).to.deep.equal({
      "mlplatform:mirror": "registry.example/mirror",
      "mlplatform:images": { prebuilt },
      "mlplatform:environment": "staging",
      "mlplatform:context": "lab",
      "mlplatform:frontend": { enabled: true },
      "mlplatform:models": models(),
    });
  });

  it("is refused where E2E_CONFIG names a file without a configuration", () => {
    for (const text of ["", "mlplatform:mirror: registry.example", "config:"]) {
      const file = path.join(folder, "Pulumi.lab.yaml");
      expect(() => stackWith(text), text).to.throw(
        UserError,
        `E2E_CONFIG: ${file} has no config: at its top, as a stack's file has.`,
      );
    }
  });

  it("knows the images that are built already", () => {
    expect(new TestStack("lab").prebuilt).to.deep.equal({});
    expect(stackWith(stringify({ config: { "mlplatform:images": {} } })).prebuilt).to.deep.equal({});
    expect(stackWith(stringify({ config: { "mlplatform:images": { prebuilt } } })).prebuilt).to.deep.equal(
      prebuilt,
    );
  });

  it("knows where charts and images come from, also where one registry has both", () => {
    const mirrorOf = (mirror: unknown) =>
      stackWith(stringify({ config: { "mlplatform:mirror": mirror } })).mirror;
    expect(new TestStack("lab").mirror).to.deep.equal({});
    expect(mirrorOf("registry.example/mirror")).to.deep.equal({
      images: "registry.example/mirror",
      charts: "oci://registry.example/mirror/charts",
    });
    expect(mirrorOf({ charts: "./charts" })).to.deep.equal({ charts: "./charts" });
  });

  it("has a state and a passphrase of its own, wherever the user is logged in", () => {
    Object.assign(process.env, {
      PULUMI_BACKEND_URL: "https://api.example",
      PULUMI_ACCESS_TOKEN: "token",
      PULUMI_CONFIG_PASSPHRASE: "phrase",
      PULUMI_CONFIG_PASSPHRASE_FILE: "/phrase",
    });
    const stack = new TestStack("lab");
    try {
      stack.moveIn();
      expect(statSync(stack.home).mode & 0o777).to.equal(0o700);
      expect([process.env["MLPLATFORM_HOME"], process.env["PULUMI_CREDENTIALS_PATH"]]).to.deep.equal([
        stack.home,
        stack.home,
      ]);
      const left = ["BACKEND_URL", "ACCESS_TOKEN", "CONFIG_PASSPHRASE", "CONFIG_PASSPHRASE_FILE"].filter(
        (name) => `PULUMI_${name}` in process.env,
      );
      expect(left).to.deep.equal([]);
    } finally {
      rmSync(stack.home, { recursive: true, force: true });
    }
  });

  it("gives the engine what the last command has found out, in the test's context", () => {
    process.env["MLPLATFORM_HOME"] = folder;
    const stack = new TestStack("lab");
    mkdirSync(path.dirname(settingsFile(stack.name)), { recursive: true });
    writeFileSync(
      settingsFile(stack.name),
      stringify({ config: { "mlplatform:context": "other", "mlplatform:images": { prebuilt } } }),
    );
    expect(stack.overrides()).to.deep.equal({ context: "lab", prebuilt });
    writeFileSync(settingsFile(stack.name), stringify({ config: {} }));
    expect(stack.overrides()).to.deep.equal({ context: "lab", prebuilt: {} });
  });

  it("tells how it is removed when it was kept", () => {
    const stack = new TestStack("lab");
    const { home } = stack;
    expect(stack.kept).to.equal(
      "The stack was kept. Remove it with:\n" +
        `  MLPLATFORM_HOME=${home} PULUMI_CREDENTIALS_PATH=${home} npm run down -- --stack e2e --confirm e2e && ` +
        `rm -r ${home} ${path.join(projectDir, "Pulumi.e2e.yaml")}`,
    );
  });
});
