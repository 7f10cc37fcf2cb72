import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { expect } from "chai";

import { refuseSwallowed } from "../../../cli/npmOptions";
import { projectDir } from "../../../cli/paths";
import { program } from "../../../cli/program";

/** What the refusal of a command says, when npm has set these variables beside those of its settings. */
function refusal(
  words: string,
  swallowed: Record<string, string>,
  settings: Record<string, string> = {},
): string {
  const [name = ""] = words.split(" ");
  const variables = Object.entries(swallowed).map(([key, value]) => [`npm_config_${key}`, value] as const);
  const env = { npm_lifecycle_event: name, ...Object.fromEntries(variables) };
  try {
    refuseSwallowed(program, words.split(" "), env, () => settings);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

describe("an option before `--`, which npm keeps for itself", () => {
  it("is refused for each option of each command, with the right line to type", () => {
    for (const command of program.commands) {
      expect(command.options.length, command.name()).to.be.greaterThan(1);
      for (const option of command.options) {
        const long = option.long ?? "";
        const [value, right] = option.isBoolean() ? ["true", long] : ["some", `${long}=some`];
        const said = refusal(command.name(), { [long.slice(2).replaceAll("-", "_")]: value });
        expect(said).to.contain(`npm kept ${right} for itself`);
        expect(said.endsWith(`Type: npm run ${command.name()} -- ${right}`), said).to.equal(true);
      }
    }
  });

  it("is put together again with its value, which npm has handed on as a word", () => {
    const line = (...args: Parameters<typeof refusal>) => refusal(...args).replace(/^.*Type: /, "");
    expect(line("predict prod bedrooms=3", { stack: "true" })).to.equal(
      "npm run predict -- --stack prod bedrooms=3",
    );
    expect(line("down prod", { stack: "true", yes: "true" })).to.equal("npm run down -- --yes --stack prod");
    expect(line("preview --json", { stack: "true" })).to.equal("npm run preview -- --stack NAME …");
    expect(line("logs 3 2h", { tail: "true", since: "true" })).to.equal(
      "npm run logs -- --tail LINES --since DURATION …",
    );
    expect(line("up", { data: "a house's.csv" })).to.equal(`npm run up -- '--data=a house'\\''s.csv'`);
  });

  it("is refused too if it is misspelt, or another command's", () => {
    expect(refusal("down", { stak: "prod" })).to.contain("Perhaps you mean: npm run down -- --stack=prod");
    expect(refusal("status", { follow: "true" })).to.contain("status has no option --follow");
  });

  it("is none where npm's own settings say the same, where it says no, and where another script runs", () => {
    expect(refusal("up", { target: "20.0.0" }, { target: "20.0.0" })).to.equal("");
    expect(refusal("up", { mlflow_port: "1" }, { "mlflow-port": "1" })).to.equal("");
    expect(refusal("preview", { diff: "a\n\nb" }, { diff: "a,b" })).to.equal("");
    expect(refusal("up", { target: "local" }, { target: "20.0.0" })).to.contain("--target=local");
    expect(refusal("down", { yes: "", json: "" })).to.equal("");
    expect(refusal("up", { cache: "/c", user_agent: "npm", registry: "r" })).to.equal("");
    expect(() => {
      refuseSwallowed(program, ["up"], { npm_lifecycle_event: "test", npm_config_stack: "prod" });
    }).not.to.throw();
  });
});

describe("npm itself", function () {
  this.timeout(60_000);
  const home = mkdtempSync(path.join(tmpdir(), "mlplatform-npm-"));
  const npmrc = path.join(home, "npmrc");

  /** Runs npm as a user does, whose settings file has these lines. */
  function npm(args: string, settings = "", variables: Record<string, string> = {}) {
    writeFileSync(npmrc, settings);
    const theirs = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
    const env = {
      ...Object.fromEntries(theirs),
      ...variables,
      npm_config_userconfig: npmrc,
      MLPLATFORM_HOME: home,
    };
    return spawnSync("npm", args.split(" "), {
      ...{ cwd: projectDir, encoding: "utf8" },
      env: { ...env, KUBECONFIG: path.join(home, "none"), NO_COLOR: "1" },
    });
  }

  for (const [typed, right] of [
    ["run preview --stack=prod", "npm run preview -- --stack=prod"],
    ["run down --yes --stack prod", "npm run down -- --yes --stack prod"],
    ["run predict --stack prod bedrooms=3", "npm run predict -- --stack prod bedrooms=3"],
    ["run status --json", "npm run status -- --json"],
    ["--target=local run up", "npm run up -- --target=local"],
  ] as const)
    it(`has \`npm ${typed}\` refused`, () => {
      const { status, stdout, stderr } = npm(typed);
      expect(status).to.equal(1);
      expect(stderr).to.contain(`Type: ${right}\n`);
      expect(stdout).not.to.contain("Nothing");
    });

  it("keeps the options that are its own alone", () => {
    const own = JSON.parse(npm("config list --long --json").stdout) as Record<string, unknown>;
    const known = Object.fromEntries(Object.keys(own).map((name) => [name, "false"]));
    expect(known).to.include.keys("diff", "force", "yes");
    for (const command of program.commands) {
      const theirs = Object.keys(known).filter(
        (name) => !command.options.some(({ long }) => long === `--${name}`),
      );
      const given = Object.fromEntries(theirs.map((name) => [name.replaceAll("-", "_"), "true"]));
      expect(refusal(command.name(), given, known)).to.equal("");
    }
    expect(npm("run down --force --yes").stderr).to.contain("Type: npm run down -- --yes\n");
  });

  it("may have settings of the same names, in a file or as variables", () => {
    const settings = "target=20.0.0\npython=/usr/bin/python3\nyes=true\njson=true\n";
    for (const { status, stdout, stderr } of [npm("run status"), npm("run status", settings)])
      expect([status, stdout.includes("Nothing is running")], stderr).to.deep.equal([0, true]);
    const { status, stderr } = npm("run status", "", { npm_config_target: "20.0.0", npm_config_yes: "true" });
    expect(status, stderr).to.equal(0);
    expect(npm("run status --target=local", settings).stderr).to.contain(
      "npm kept --target=local for itself",
    );
    expect(npm("run status -- --target local", settings).status).to.equal(0);
  });
});
