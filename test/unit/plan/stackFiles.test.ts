import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";

import { UserError } from "../../../cli/errors";
import { unknownHere } from "../../../cli/plan/environments";
import { evaluate } from "../../../cli/plan/evaluate";
import { readStackConfig, stackNames } from "../../../cli/plan/stackFiles";
import { undecrypted } from "../../../config/secretWords";

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
      environments: [],
    });
  });

  it("have placeholders for secrets, also for those inside of objects and lists", () => {
    write(
      "Pulumi.dev.yaml",
      `config:
  sample:password: {secure: v1:AAAA:AAAA}
  sample:store: {keys: [{id: x, secret: {secure: v1:BBBB:BBBB}}], secure: no}
  sample:plain: {secure: {nested: v1:CCCC}}
`,
    );
    const { config, secretKeys } = readStackConfig("dev", folder);
    expect(secretKeys).to.deep.equal(["sample:password", "sample:store.keys[0].secret"]);
    expect(config["sample:password"]).to.equal(undecrypted);
    expect(config["sample:store"]).to.equal(
      JSON.stringify({ keys: [{ id: "x", secret: undecrypted }], secure: "no" }),
    );
  });

  it("cannot be pipes, devices or folders", () => {
    execFileSync("mkfifo", [path.join(folder, "Pulumi.pipe.yaml")]);
    symlinkSync("/dev/zero", path.join(folder, "Pulumi.device.yaml"));
    mkdirSync(path.join(folder, "Pulumi.folder.yaml"));
    const endless = "it is a pipe or a device, which may never end, and a file is needed (EFTYPE).";
    for (const [stack, why] of [
      ["pipe", `opened: ${endless}`],
      ["device", `opened: ${endless}`],
      ["folder", "read: it is a folder, and a file is needed (EISDIR)."],
    ] as const) {
      const file = path.join(folder, `Pulumi.${stack}.yaml`);
      expect(() => readStackConfig(stack, folder)).to.throw(UserError, `${file} cannot be ${why}`);
    }
  });

  it("keep a secret secret on its way through a program", async () => {
    write("Pulumi.dev.yaml", "config:\n  sample:store: {key: {secure: v1:BBBB:BBBB}, user: me}\n");
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
    write("Pulumi.dev.yaml", "config: {sample:a: {<<: 1}}");
    expect(() => readStackConfig("dev", folder)).to.throw(UserError, "Merge sources must be maps");
    write("Pulumi.dev.yaml", "config: {context: x}");
    expect(() => readStackConfig("dev", folder)).to.throw(UserError, 'write "sample:context"');
    write("Pulumi.dev.yaml", "- config");
    expect(() => readStackConfig("dev", folder)).to.throw(UserError, "must be a group of keys");
  });

  it("that are no text in UTF-8, or hold several documents, are refused", () => {
    writeFileSync(path.join(folder, "Pulumi.dev.yaml"), Buffer.from("config: {sample:a: \xe9}", "latin1"));
    expect(() => readStackConfig("dev", folder)).to.throw(UserError, "Pulumi.dev.yaml is no text in UTF-8");
    write("Pulumi.dev.yaml", "config: {}\n---\nconfig: {}\n");
    expect(() => readStackConfig("dev", folder)).to.throw(
      UserError,
      "Pulumi.dev.yaml holds several documents (---): a stack's file has one.",
    );
  });

  it("with secrets in plain text where encrypted ones stand are refused", () => {
    const encrypted = "A".repeat(40);
    write("Pulumi.dev.yaml", `config: {sample:a: {b: [{secure: hunter2}, {secure: ${encrypted}}]}}`);
    expect(() => readStackConfig("dev", folder))
      .to.throw(UserError, "sample:a.b[0].secure is plain text")
      .with.property("message")
      .that.does.not.contain("b[1]");
    const values = "{password: hunter2, token: {fn::secret: hunter2}, name: words}";
    write("Pulumi.dev.yaml", `environment: {values: ${values}}`);
    expect(() => readStackConfig("dev", folder))
      .to.throw(UserError, "environment.values.password is a secret in plain text")
      .with.property("message")
      .that.does.not.contain("token");
  });

  it("are merged as Pulumi merges them, and keys of its first versions are read", () => {
    write("Pulumi.dev.yaml", "config:\n  sample:config:list: [&a {x: 1, y: 2}, {<<: *a, y: 3}]\n");
    expect(readStackConfig("dev", folder).config).to.deep.equal({
      "sample:list": '[{"x":1,"y":2},{"x":1,"y":3}]',
    });
  });

  it("in which an anchor refers to itself are refused", () => {
    write("Pulumi.dev.yaml", "config:\n  sample:list: &a [*a]\n");
    expect(() => readStackConfig("dev", folder)).to.throw(
      UserError,
      "an anchor refers to itself: config.sample:list.0",
    );
  });

  it("with settings that Pulumi would ignore are refused", () => {
    write("Pulumi.dev.yaml", "confg: {sample:a: b}\nruntime: nodejs\n");
    expect(() => readStackConfig("dev", folder))
      .to.throw(UserError, '"confg" is not known; did you mean config?')
      .with.property("message")
      .that.contains('"runtime" is not known; known are config, secretsprovider');
  });

  it("with keys that Pulumi refuses, or of which it takes one at random, are refused", () => {
    const said = (config: string) => {
      write("Pulumi.dev.yaml", config);
      return () => readStackConfig("dev", folder);
    };
    expect(said("config: {sample:a:old: b}")).to.throw(UserError, '"sample:a:old" has more than one colon');
    expect(said("config: {sample:config:a: b, sample:a: c}")).to.throw(
      UserError,
      '"sample:a" stands there twice',
    );
    expect(said("config: {sample: {a: b}}")).to.throw(UserError, '"sample" is the namespace and no key');
    expect(said("config: [sample:a]")).to.throw(UserError, "config must be a group of keys");
    expect(said("config: text")).to.throw(UserError, "config must be a group of keys");
    expect(said("environment: prod")).to.throw(UserError, '"environment" is for environments of Pulumi ESC');
    for (const [environment, problem] of [
      ["5", "environment must be a list of names, or a group with imports and values"],
      ["[team, 5]", "environment[1] must be the name of an environment"],
      ["{imports: 5}", "environment.imports must be a list of names"],
      ['{imports: [team, ""]}', "environment.imports[1] must be the name of an environment"],
      ["{imports: [{lab: yes}]}", "environment.imports[0] must be the name of an environment"],
      ["{import: [team]}", "environment.import is not known; did you mean imports?"],
      ["{values: [a]}", "environment.values must be a group of keys"],
    ] as const)
      expect(said(`environment: ${environment}`), environment).to.throw(UserError, `${problem}.`);
    expect(said("encryptedkey: [1]")).to.throw(UserError, "encryptedkey must be a text.");
    expect(said("encryptionsalt: 5")).to.throw(UserError, "encryptionsalt must be a text.");
  });

  it("that are small and stand for billions of values are refused at once", () => {
    const levels = Array.from(
      { length: 9 },
      (_, i) => `  sample:a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join()}]`,
    );
    write("Pulumi.dev.yaml", ["config:", "  sample:a0: &a0 [x, x, x, x, x]", ...levels].join("\n"));
    expect(() => readStackConfig("dev", folder)).to.throw(UserError, "it has more than 200000 values");
  });

  it("that are larger than any needs to be are refused before they are read", () => {
    write("Pulumi.dev.yaml", `config:\n${"# x\n".repeat(1_100_000)}`);
    expect(() => readStackConfig("dev", folder)).to.throw(
      UserError,
      "has 4400008 letters, and at most 4000000",
    );
  });

  it("may take values from elsewhere, which are not known", () => {
    write("Pulumi.dev.yaml", "environment: [team, project/lab]\nconfig: {sample:a: b}\n");
    const config = readStackConfig("dev", folder);
    expect(config).to.deep.include({ environments: ["team", "project/lab"], config: { "sample:a": "b" } });
    expect(unknownHere(config)).to.contain("Pulumi ESC (team, project/lab) is not known here");
    write("Pulumi.dev.yaml", "environment: {imports: [team, {lab: {merge: false}}], values: {}}\n");
    expect(readStackConfig("dev", folder).environments).to.deep.equal(["team", "lab"]);
    const own = "values: {a: 1, pulumiConfig: {'sample:b': 1}}";
    write("Pulumi.dev.yaml", `environment: {imports: [team], ${own}}\n`);
    expect(readStackConfig("dev", folder).environments).to.deep.equal(["team", "its own sample:b"]);
    for (const none of ["{}", "[]", "", "{values: {}}"]) {
      write("Pulumi.dev.yaml", `environment: ${none}\n`);
      expect(readStackConfig("dev", folder).environments, none).to.deep.equal([]);
    }
  });

  it("that are no text in UTF-8, or have half of a letter, are refused", () => {
    const text = "config: {sample:a: b}\n";
    for (const bytes of [Buffer.from(`\ufeff${text}`, "utf16le"), Buffer.from(text, "utf16le")]) {
      writeFileSync(path.join(folder, "Pulumi.dev.yaml"), bytes);
      expect(() => readStackConfig("dev", folder)).to.throw(
        UserError,
        "Pulumi.dev.yaml is no text in UTF-8: save it in UTF-8.",
      );
    }
    write("Pulumi.dev.yaml", 'config: {sample:a: ["\\ud83d"]}\n');
    expect(() => readStackConfig("dev", folder)).to.throw(
      UserError,
      "config.sample:a.0 has half of a letter: \\ud83d stands for one with another half alone.",
    );
  });

  it("whose names Pulumi does not take are refused", () => {
    for (const name of ["my stack", "prüfung", "a".repeat(101), "a,b"]) {
      write(`Pulumi.${name}.yaml`, "config: {sample:a: b}\n");
      expect(() => readStackConfig(name, folder), name).to.throw(
        UserError,
        `"${name}" is no name of a stack for Pulumi: it has 1 to 100 letters from a to z, digits, dots, dashes and ` +
          "underscores. Rename the file.",
      );
    }
  });

  it("that say by which version they are read are refused", () => {
    write("Pulumi.dev.yaml", "%YAML 1.1\n---\nconfig: {sample:a: yes}\n");
    expect(() => readStackConfig("dev", folder)).to.throw(UserError, "leave the line %YAML out");
  });

  it("may have a dot in the name", () => {
    write("Pulumi.infra.dev.yaml", "config: {sample:a: b}");
    expect(stackNames(folder)).to.deep.equal(["infra.dev"]);
    expect(readStackConfig("infra.dev", folder).config).to.deep.equal({ "sample:a": "b" });
  });

  it("with what ends a line, indents or names for Pulumi alone, or for nobody, is refused", () => {
    const tab = (line: number) => `line ${line} has a tab where only blanks may be.`;
    const between = "which Pulumi reads otherwise between { and } or [ and ]: put it in quotes.";
    const letter = (line: number, code: string) =>
      `line ${line} has the invisible letter U+${code}: take it out.`;
    for (const [text, why] of [
      ["config:\n\t\n  sample:a: b\n", tab(2)],
      ["config:\r\n  sample:a: b\r\n\t# c\r\n", tab(3)],
      ["config:\n  sample:a:\n    -\tb\n", tab(3)],
      ["config:\n  # a note\u2028  sample:a: b\n", letter(2, "2028")],
      ["config:\n  sample:a: 'b\u0085c'\n", letter(2, "0085")],
      ["config: {} # \x1b[0m\n", letter(1, "001B")],
      ["config:\n  # was: prod\r  sample:a: b\n", letter(2, "000D")],
      ["config:\n  sample:a: 'b'\n    \t\n", tab(3)],
      [
        "config:\n  &x.y sample:a: b\n",
        "the anchor &x.y has more than letters from a to z, digits, - and _.",
      ],
      ["config: {sample:a: {b?: c}}\n", `config.sample:a: is b?, ${between}`],
      ["environment: {values: {b: [a?]}}\n", `environment.values.b.0 is a?, ${between}`],
      ["# a note\n\ufeffconfig: {}\n", letter(2, "FEFF")],
      [
        "config:\n  sample:a: &x:y b\n",
        "the anchor &x:y has more than letters from a to z, digits, - and _.",
      ],
    ] as const) {
      write("Pulumi.dev.yaml", text);
      expect(() => readStackConfig("dev", folder), JSON.stringify(text)).to.throw(
        UserError,
        `Pulumi.dev.yaml is not YAML as Pulumi reads it: ${why}`,
      );
    }
    const tabs =
      "config:\n  sample:a:\t{b:\tc} \t# d\n  sample:e: |\n    f\n    \tg\n  sample:h: i\n    \t\n    \t# j\n  sample:k: 1e1\n";
    write("Pulumi.dev.yaml", `\ufeff${tabs}`);
    expect(readStackConfig("dev", folder).config).to.deep.equal({
      "sample:a": '{"b":"c"}',
      "sample:e": "f\n\tg\n",
      "sample:h": "i",
      "sample:k": "10",
    });
  });

  it("with JSON that has a key twice is refused", () => {
    write(
      "Pulumi.dev.yaml",
      `config: {sample:a: '{"pods": 7, "pods": 8}', sample:b: '[{"c": 1}, {"c": 2}]', sample:d: '{x,x}'}`,
    );
    expect(() => readStackConfig("dev", folder)).to.throw(
      UserError,
      /^\S*Pulumi\.dev\.yaml: sample:a has "pods" twice: keep one\.$/,
    );
  });

  describe("whose plain values Pulumi reads otherwise are refused, all at once", () => {
    /** What the file's one list becomes, or what is said of it. */
    const toldOf = () => {
      try {
        return readStackConfig("dev", folder).config["mlplatform:list"];
      } catch (error) {
        return (error as UserError).message
          .split("\n")
          .map((line) => line.replace(/^.*Pulumi.dev.yaml: mlplatform:/, ""));
      }
    };
    const told = (values: readonly string[]) => {
      const list = values.map((value) => `    - ${value}\n`).join("");
      write("Pulumi.dev.yaml", `config:\n  mlplatform:list:\n${list}`);
      return toldOf();
    };

    it("dates, numbers of YAML 1.1, and numbers that are rounded", () => {
      const number = (text: string, value = text) =>
        `is ${text}, which Pulumi takes for the number ${value}: put it in quotes.`;
      const cases = {
        "2024-01-31": "is 2024-01-31, which Pulumi takes for a date: put it in quotes.",
        "2024-01-31T10:00:00Z": "is 2024-01-31T10:00:00Z, which Pulumi takes for a date: put it in quotes.",
        "20240131_1": number("20240131_1", "202401311"),
        "0b1010": number("0b1010"),
        "1_000.5": number("1_000.5", "1000.5"),
        "0123": "is 0123, which Pulumi takes for an octal number: put it in quotes.",
        "9007199254740993":
          "is 9007199254740993, and beyond 9007199254740991 numbers are rounded: put it in quotes.",
        ".inf": "is .inf, which no number of JSON can be: put it in quotes, or leave it out.",
      };
      const sentences = Object.values(cases).map((text, index) => `list[${index}] ${text}`);
      expect(told(Object.keys(cases))).to.deep.equal(sentences);
    });

    it("keys that are no text, and values with a tag", () => {
      write(
        "Pulumi.dev.yaml",
        "config:\n  mlplatform:values: {1_000: a, 2024-01-31: b, 80: c, ? [1] : d, t: !!timestamp 2024-01-31, b: !!binary aGk=}\n",
      );
      const key = (name: string, why: string) =>
        `${/^[\w-]+$/.test(name) ? `values.${name}` : `values[${JSON.stringify(name)}]`} as a key is ${why}: put it in quotes.`;
      const tag = (name: string, what: string) =>
        `values.${name} has the tag !!${what}, which others read otherwise: leave it out.`;
      expect(toldOf()).to.deep.equal([
        key("1_000", "1_000, which Pulumi takes for the number 1000"),
        key("2024-01-31", "2024-01-31, which Pulumi takes for a date"),
        key("80", "no text"),
        key("[1]", "no text"),
        tag("t", "timestamp"),
        tag("b", "binary"),
      ]);
    });

    it("numbers whose text counts: a value of a key, and a parameter of a training that others have made", () => {
      const parameters = "parameters: { version: 1.10, depth: 3, rate: 1e-3 }";
      const training = (image: string) => `{ name: m, training: { image: ${image}, ${parameters} } }`;
      write(
        "Pulumi.dev.yaml",
        `config:\n  mlplatform:context: 1.10\n  mlplatform:models:\n    - ${training("x.io/own:1")}\n    - ${training("house-price-train")}\n`,
      );
      const handed = (place: string, text: string, as: string) =>
        `${place} is ${text}, which is handed on as ${as}: put it in quotes.`;
      expect(toldOf()).to.deep.equal([
        handed("context", "1.10", "1.1"),
        handed("models[0].training.parameters.version", "1.10", "1.1"),
        handed("models[0].training.parameters.rate", "1e-3", "0.001"),
      ]);
    });

    it("texts between brackets, and a tag that says nothing", () => {
      const between = (text: string) =>
        `is ${text}, which Pulumi reads otherwise between { and } or [ and ]: put it in quotes.`;
      write("Pulumi.dev.yaml", "config:\n  mlplatform:list: [?b, a?b, ::1, '?c', {a: b?}]\n");
      expect(toldOf()).to.deep.equal([
        ...["?b", "a?b", "::1"].map((text, index) => `list[${index}] ${between(text)}`),
        `list[4].a ${between("b?")}`,
      ]);
      write("Pulumi.dev.yaml", "config:\n  sample:a: &u http://x/?q=1\n  mlplatform:list: [*u]\n");
      expect(toldOf(), "an alias").to.equal('["http://x/?q=1"]');
      expect(told(["! 0123", "b?"])).to.deep.equal([
        "list[0] has the tag !, which others read otherwise: leave it out.",
      ]);
    });

    it("but not the same in quotes, nor what both read alike", () => {
      const same = [
        '"2024-01-31"',
        "'0b1010'",
        "v1.34",
        "1.10",
        "-3",
        "1e3",
        "0x1F",
        "a_1",
        "10.0.0.1",
        "1.2.3",
        "500m",
        "yes",
        "0",
      ];
      expect(told(same)).to.equal(
        JSON.stringify([
          "2024-01-31",
          "0b1010",
          "v1.34",
          1.1,
          -3,
          1000,
          31,
          "a_1",
          "10.0.0.1",
          "1.2.3",
          "500m",
          "yes",
          0,
        ]),
      );
    });
  });
});
