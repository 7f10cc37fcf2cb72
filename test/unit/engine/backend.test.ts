import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { pathToFileURL } from "node:url";

import { expect } from "chai";

import { chooseBackend, plainCommands } from "../../../cli/engine/backend";
import { Variables, isolated, projectIn, temporaryFolder } from "./support";

describe("the backend of a stack", () => {
  const variables = new Variables();
  let home: string;
  let own: string;
  let passphrase: string;
  let restoreProject: () => void = () => undefined;

  const project = async (files: Readonly<Record<string, string>>) => {
    restoreProject();
    restoreProject = await projectIn(path.join(home, "project"), {
      "Pulumi.yaml": "name: mlplatform\n",
      ...files,
    });
  };
  const mode = (file: string) => (statSync(file).mode & 0o777).toString(8);
  const login = (folder: string, current: string) => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "credentials.json"), JSON.stringify({ current }));
  };
  const theirs = (url: string) => {
    const backend = chooseBackend("dev");
    expect([backend.url, backend.own]).to.deep.equal([url, false]);
    expect(existsSync(path.join(home, "mlplatform", "state")), "a folder of our own").to.equal(false);
    return backend.env;
  };

  beforeEach(async () => {
    home = temporaryFolder();
    own = path.join(home, "mlplatform", "state");
    passphrase = path.join(home, "mlplatform", "passphrase");
    variables.set(isolated(home));
    mkdirSync(path.join(home, "mlplatform"));
    await project({});
  });
  afterEach(() => {
    restoreProject();
    variables.restore();
    rmSync(home, { recursive: true });
  });

  it("is a folder of the project, and a passphrase in a file, which nobody else can read", () => {
    const url = pathToFileURL(own).href;
    const env = { PULUMI_BACKEND_URL: url, PULUMI_CONFIG_PASSPHRASE_FILE: passphrase };
    expect(chooseBackend("dev")).to.deep.equal({ url, own: true, env });
    expect([mode(own), mode(passphrase)]).to.deep.equal(["700", "600"]);
    expect(readFileSync(passphrase, "utf8")).to.match(/^[\w-]{43}\n$/);
    const first = readFileSync(passphrase, "utf8");
    expect(chooseBackend("dev")).to.deep.equal({ url, own: true, env });
    expect(readFileSync(passphrase, "utf8")).to.equal(first);
  });

  it("has a passphrase of its own on each machine", () => {
    chooseBackend("dev");
    const first = readFileSync(passphrase, "utf8");
    rmSync(passphrase);
    chooseBackend("dev");
    expect(readFileSync(passphrase, "utf8")).to.not.equal(first);
  });

  it("makes no other passphrase where a stack needs the one that is gone", () => {
    chooseBackend("dev");
    rmSync(passphrase);
    const folder = path.join(home, "mlplatform", "stacks", "dev");
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "Pulumi.dev.yaml"), "encryptionsalt: v1:abc\n");
    for (const stack of ["dev", "prod"])
      expect(() => chooseBackend(stack)).to.throw(
        /^the passphrase of dev is gone: \S+passphrase\. Put it back .*PULUMI_CONFIG_PASSPHRASE_FILE/,
      );
    expect(existsSync(passphrase)).to.equal(false);
    variables.set({ PULUMI_CONFIG_PASSPHRASE: "ours" });
    expect(chooseBackend("dev").own).to.equal(true);
  });

  it("closes a passphrase that others can read", () => {
    writeFileSync(passphrase, "mine\n", { mode: 0o644 });
    expect(mode(passphrase)).to.equal("644");
    chooseBackend("dev");
    expect(mode(passphrase)).to.equal("600");
    expect(readFileSync(passphrase, "utf8")).to.equal("mine\n");
  });

  it("is the one that a variable names, with a passphrase where it does not encrypt by itself", () => {
    variables.set({ PULUMI_BACKEND_URL: "s3://states" });
    expect(theirs("s3://states")).to.deep.equal({ PULUMI_CONFIG_PASSPHRASE_FILE: passphrase });
    variables.set({ PULUMI_BACKEND_URL: "https://pulumi.example.com" });
    expect(theirs("https://pulumi.example.com")).to.deep.equal({});
  });

  it("is the one of Pulumi.yaml", async () => {
    await project({ "Pulumi.yaml": "name: mlplatform\nbackend: { url: gs://states }\n" });
    expect(theirs("gs://states")).to.deep.equal({ PULUMI_CONFIG_PASSPHRASE_FILE: passphrase });
    variables.set({ PULUMI_BACKEND_URL: "s3://states" });
    theirs("s3://states");
  });

  it("is the one that the user is logged in to", () => {
    login(path.join(home, "pulumi"), "azblob://states");
    expect(theirs("azblob://states")).to.deep.equal({ PULUMI_CONFIG_PASSPHRASE_FILE: passphrase });
    login(path.join(home, "elsewhere"), "https://api.pulumi.com");
    variables.set({ PULUMI_CREDENTIALS_PATH: path.join(home, "elsewhere") });
    expect(theirs("https://api.pulumi.com")).to.deep.equal({});
  });

  it("is Pulumi's service where there is a token for it", () => {
    variables.set({ PULUMI_ACCESS_TOKEN: "pul-1" });
    expect(theirs("https://api.pulumi.com")).to.deep.equal({});
    expect(existsSync(passphrase)).to.equal(false);
  });

  it("is the project's where variables are empty, and where the user is logged out", () => {
    variables.set({ PULUMI_ACCESS_TOKEN: "", PULUMI_BACKEND_URL: "" });
    login(path.join(home, "pulumi"), "");
    expect(chooseBackend("dev").own).to.equal(true);
  });

  for (const name of ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"])
    it(`takes the user's passphrase, in ${name}`, () => {
      variables.set({ [name]: "" });
      expect(Object.keys(chooseBackend("dev").env)).to.deep.equal(["PULUMI_BACKEND_URL"]);
      expect(existsSync(passphrase)).to.equal(false);
    });

  it("refuses a stack whose secrets need another's passphrase, and makes none for it", async () => {
    await project({ "Pulumi.team.yaml": "encryptionsalt: v1:abc\nconfig: {}\n" });
    expect(() => chooseBackend("team")).to.throw(
      /^Pulumi\.team\.yaml has secrets, encrypted with a passphrase that is not here: set PULUMI_CONFIG_PASSPHRASE_FILE \(or PULUMI_CONFIG_PASSPHRASE\) to that of whoever wrote it\.$/,
    );
    expect(existsSync(passphrase)).to.equal(false);
    variables.set({ PULUMI_CONFIG_PASSPHRASE: "ours" });
    expect(Object.keys(chooseBackend("team").env)).to.deep.equal(["PULUMI_BACKEND_URL"]);
  });

  it("needs no passphrase where a key of a cloud encrypts", async () => {
    await project({ "Pulumi.team.yaml": "secretsprovider: awskms://alias/key\nencryptedkey: abc\n" });
    expect(Object.keys(chooseBackend("team").env)).to.deep.equal(["PULUMI_BACKEND_URL"]);
    expect(existsSync(passphrase)).to.equal(false);
  });

  it("is told for the plain CLI", () => {
    const env = { PULUMI_BACKEND_URL: "file:///state", PULUMI_CONFIG_PASSPHRASE_FILE: "/passphrase" };
    const settings = "/home/stacks/dev/Pulumi.dev.yaml";
    variables.set({ MLPLATFORM_HOME: "/home" });
    expect(plainCommands("dev", { url: "file:///state", own: true, env }, settings)).to.deep.equal([
      "export PULUMI_BACKEND_URL='file:///state' PULUMI_CONFIG_PASSPHRASE_FILE='/passphrase' MLPLATFORM_HOME='/home'",
      `pulumi preview --stack dev --config-file ${settings}`,
    ]);
    variables.set({ MLPLATFORM_HOME: "" });
    expect(plainCommands("dev", { url: "", own: false, env: {} }, settings)).to.deep.equal([
      `pulumi preview --stack dev --config-file ${settings}`,
    ]);
  });
});
