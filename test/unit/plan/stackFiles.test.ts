import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";

import { UserError } from "../../../cli/errors";
import { evaluate } from "../../../cli/plan/evaluate";
import { readStackConfig, stackNames, undecrypted } from "../../../cli/plan/stackFiles";

describe("stack files", () => {
  let folder: string;
  const write = (file: string, text: string) => {
    writeFileSync(path.join(folder, file), text);
  };

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "stack-files-"));
    write("Pulumi.yaml", "name: sample\nruntime: nodejs\n");
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("become what the engine hands to the program", () => {
    write(
      "Pulumi.dev.yaml",
      `encryptionsalt: v1:salt
config:
  sample:text: words
  sample:number: 3
  sample:flag: true
  sample:list: [1, two]
  sample:object: {b: {c: 1}, a: x}
`,
    );
    expect(readStackConfig("dev", folder)).to.deep.equal({
      project: "sample",
      stack: "dev",
      config: {
        "sample:text": "words",
        "sample:number": "3",
        "sample:flag": "true",
        "sample:list": '[1,"two"]',
        "sample:object": '{"a":"x","b":{"c":1}}',
      },
      secretKeys: [],
    });
  });

  it("have placeholders for secrets, also for those inside of objects and lists", () => {
    write(
      "Pulumi.dev.yaml",
      `config:
  sample:password: {secure: v1:AAAA}
  sample:store: {keys: [{id: x, secret: {secure: v1:BBBB}}], secure: no}
  sample:plain: {secure: {nested: v1:CCCC}}
`,
    );
    const { config, secretKeys } = readStackConfig("dev", folder);
    expect(secretKeys).to.deep.equal(["sample:password", "sample:store"]);
    expect(config["sample:password"]).to.equal(undecrypted);
    expect(config["sample:store"]).to.equal(
      JSON.stringify({ keys: [{ id: "x", secret: undecrypted }], secure: "no" }),
    );
  });

  it("keep a secret secret on its way through a program", async () => {
    write("Pulumi.dev.yaml", "config:\n  sample:store: {key: {secure: v1:BBBB}, user: me}\n");
    const program = () => ({ store: new pulumi.Config("sample").requireSecretObject("store") });
    const { outputs } = await evaluate(program, readStackConfig("dev", folder));
    expect(outputs).to.deep.equal({ store: { key: "[secret]", user: "[secret]" } });
  });

  it("take the project's values and defaults where they have none", () => {
    write(
      "Pulumi.yaml",
      `name: sample
runtime: nodejs
config:
  typed: {type: integer, default: 4}
  declared: {type: string}
  kubernetes:plain: words
  over: {value: project}
`,
    );
    write("Pulumi.dev.yaml", "config:\n  sample:over: stack\n");
    expect(readStackConfig("dev", folder).config).to.deep.equal({
      "sample:typed": "4",
      "kubernetes:plain": "words",
      "sample:over": "stack",
    });
  });

  it("may be empty", () => {
    write("Pulumi.dev.yaml", "");
    expect(readStackConfig("dev", folder).config).to.deep.equal({});
  });

  it("that do not exist are named with those that do", () => {
    write("Pulumi.dev.yaml", "");
    write("Pulumi.prod.yaml", "");
    expect(stackNames(folder)).to.deep.equal(["dev", "prod"]);
    expect(() => readStackConfig("production", folder)).to.throw(UserError, "There are dev, prod.");
  });

  it("that are no YAML, or have keys without a namespace, are refused", () => {
    write("Pulumi.dev.yaml", "config: [");
    expect(() => readStackConfig("dev", folder)).to.throw(UserError, "Pulumi.dev.yaml is not YAML");
    write("Pulumi.dev.yaml", "config: {context: x}");
    expect(() => readStackConfig("dev", folder)).to.throw(UserError, 'write "sample:context"');
  });
});
