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
  { variables = {}, nested = false }: { variables?: Record<string, string>; nested?: boolean } = {},
): string {
  const [name = ""] = words.split(" ");
  const kept = Object.entries(swallowed).map(([key, value]) => [`npm_config_${key}`, value] as const);
  const env = { npm_lifecycle_event: name, ...Object.fromEntries(kept) };
  try {
    refuseSwallowed(program, words.split(" "), env, () => ({ settings, variables, nested }));
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
        const [value, right] = option.required ? ["some", `${long}=some`] : ["true", long];
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

  it("is refused too if only its beginning is there, from three letters on, or a `no` before it", () => {
    expect(refusal("preview", { sta: "prod" })).to.contain(
      "Perhaps you mean: npm run preview -- --stack=prod",
    );
    expect(refusal("up", { cont: "kind" })).to.contain("Perhaps you mean: npm run up -- --context=kind");
    expect(refusal("preview", { st: "prod" })).to.equal("");
    expect(refusal("down", { for: "true" }, { for: "false" }), "known to npm").to.equal("");
    expect(refusal("up", { refresh: "" })).to.contain("Type: npm run up -- --no-refresh");
    expect(refusal("up", { refresh: "" }, { refresh: "false" })).to.equal("");
  });

  it("is refused too if npm says that it knows none of the kind", () => {
    const unknown = { env: "undefined", some_name: "undefined" };
    expect(refusal("preview", { env: "prod" }, unknown)).to.contain("preview has no option --env; see");
    expect(refusal("preview", { some_name: "x" }, unknown)).to.contain("has no option --some-name");
    expect(refusal("preview", { env: "prod" }), "npm has not answered").to.equal("");
    expect(refusal("preview", { some_name: "x" }, { some_name: "x" })).to.equal("");
    for (const nested of [true, false])
      expect(refusal("preview", { env: "prod" }, unknown, { variables: { env: "prod" }, nested })).to.equal(
        "",
      );
  });

  it("is refused as a variable of npm's kind where only the command has it, and node-gyp has not", () => {
    const given = (
      command: string,
      variables: Record<string, string>,
      known: Record<string, string> = {},
    ) => {
      const unknown = Object.fromEntries(Object.keys(variables).map((key) => [key, "undefined"]));
      return refusal(command, variables, { ...unknown, ...known }, { variables });
    };
    expect(given("preview", { stack: "prod" })).to.contain("npm_config_stack=prod");
    expect(given("preview", { stack: "prod" })).to.contain(
      "Unset it, or type: npm run preview -- --stack=prod",
    );
    expect(given("up", { target: "local" })).to.contain("type: npm run up -- --target=local");
    expect(given("preview", { diff: "1" })).to.match(/type: npm run preview -- --diff$/);
    expect(given("up", { target: "20.0.0", python: "/usr/bin/python3", detach: "false" })).to.equal("");
    expect(given("down", { yes: "true", stak: "prod", sta: "prod" }, { yes: "null" })).to.equal("");
  });

  it("is none where npm's own settings say the same, where it says no, and where another script runs", () => {
    expect(refusal("up", { target: "20.0.0" }, { target: "20.0.0" })).to.equal("");
    expect(refusal("up", { mlflow_port: "1" }, { mlflow_port: "1" })).to.equal("");
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
  this.timeout(180_000);
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
    ["run up --no-refresh", "npm run up -- --no-refresh"],
  ] as const)
    it(`has \`npm ${typed}\` refused`, () => {
      const { status, stdout, stderr } = npm(typed);
      expect(status).to.equal(1);
      expect(stderr).to.contain(`Type: ${right}\n`);
      expect(stdout).not.to.contain("Nothing");
    });

  it("has what nobody knows refused, and what only stands for an option", () => {
    expect(npm("run preview --env=prod").stderr).to.contain("preview has no option --env;");
    expect(npm("run preview --sta=prod").stderr).to.contain("you mean: npm run preview -- --stack=prod\n");
    for (const name of ["npm_config_stack", "NPM_CONFIG_STACK"]) {
      const { status, stderr } = npm("run preview", "", { [name]: "prod" });
      expect([status, stderr.includes("or type: npm run preview -- --stack=prod\n")]).to.deep.equal([
        1,
        true,
      ]);
    }
    const { status, stderr } = npm(
      "run status",
      "theirs=1\nmyOwn_name-x=2\nmlflow-port=5\n//x/:_authToken=t\n",
      {
        npm_config_sharp_host: "h t",
        npm_config_env: "x",
        npm_config__authToken: "t",
      },
    );
    expect(status, stderr).to.equal(0);
  });

  it("keeps the options that are its own alone", () => {
    const own = JSON.parse(npm("config list --long --json").stdout) as Record<string, unknown>;
    const known = Object.fromEntries(Object.keys(own).map((name) => [name.replaceAll("-", "_"), "false"]));
    expect(known).to.include.keys("diff", "force", "yes");
    for (const command of program.commands) {
      const theirs = Object.keys(known).filter(
        (name) => !command.options.some(({ long }) => long === `--${name.replaceAll("_", "-")}`),
      );
      const given = Object.fromEntries(theirs.map((name) => [name, "true"]));
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
