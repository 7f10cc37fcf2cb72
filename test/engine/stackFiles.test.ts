import { rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import * as pulumi from "@pulumi/pulumi";
import { LocalWorkspace, Stack } from "@pulumi/pulumi/automation";
import { expect } from "chai";

import { type EngineCommand, engineCommand } from "../../cli/engine/command";
import type { Engine } from "../../cli/engine/engine";
import { settingsFile, writeSettings } from "../../cli/engine/settings";
import { EngineStack } from "../../cli/engine/stack";
import { parsedJson } from "../../config/json";
import { UserError } from "../../cli/errors";
import { readStackConfig } from "../../cli/plan/stackFiles";
import { Variables, isolated, projectIn, temporaryFolder } from "../unit/engine/support";
import { type Random, randomFrom } from "./support/random";
import { setting } from "./support/setting";

/** Scalars that YAML's versions and libraries read in several ways. */
const known = (
  "yes no on off y n Yes TRUE True true false ~ null Null NULL 0o17 0O17 017 08 0b11 -0b11 0x1F 0X1f -0x1f +5 -0 +0 0.0 -0.0 " +
  "1. .5 -.5 +.5 1e3 1E3 1e+3 1e-7 1e21 1e400 1_000 _1 1__0 0_1 12:30 12:30:45 2024-1-3 2024-01-31 2024-01-31T10:00:00Z .inf " +
  "-.inf .nan .NaN 9007199254740991 9007199254740992 18446744073709551615 18446744073709551616 0.1 1.10 1.0 100.0 1e100 " +
  '123456789.123456789 0.30000000000000004 1e-320 = << a#b v1.34 500m 10.0.0.1 "" \'\' "2024-01-31" \'0b1010\' "\\u2028\\t\\\\" ' +
  "'it''s' ü😀 a:b !x !!str"
).split(" ");
const longer = [
  "",
  "2024-01-31 10:00:00",
  "!!str 2024-01-31",
  "|\n      two\n        lines\n",
  ">-\n      folded\n      lines\n",
  '"over\n      two\n\n      lines \\\n      on"',
  "plain over\n      two lines",
  "a # b",
  "{a: 1, b: [yes, 0x1F]}",
];

/** One of letters that make numbers, dates and words of them. */
function scalar(random: Random): string {
  const letters = "0123456789-+._:eExXoObBTZyYnNfF~ ";
  const length = 1 + Math.floor(random() * 8);
  const text = Array.from({ length }, () => letters[Math.floor(random() * letters.length)]).join("");
  return random() < 0.2 ? JSON.stringify(text) : text.trim();
}

describe("what a stack's file says", function () {
  this.timeout(120_000);
  const home = temporaryFolder();
  const folder = path.join(home, "project");
  const file = path.join(folder, "Pulumi.trial.yaml");
  const variables = new Variables();
  const random = randomFrom(25);
  const scalars = [...known, ...longer, ...Array.from({ length: 400 }, () => scalar(random))];
  let command: EngineCommand;
  let env: Readonly<Record<string, string>>;
  let restoreProject: () => void;

  before(async () => {
    const { engineRoot } = await setting();
    const engine: Engine = { file: path.join(engineRoot, "bin", "pulumi"), version: "", origin: "own" };
    variables.set(isolated(home));
    restoreProject = await projectIn(folder, {
      "Pulumi.yaml": "name: mlplatform\nruntime: nodejs\n",
      "Pulumi.trial.yaml": "",
    });
    command = await engineCommand(engine);
    ({ env } = (await EngineStack.open("trial", engine, { prebuilt: {} })).backend);
  });
  after(() => {
    restoreProject();
    variables.restore();
    rmSync(home, { recursive: true, force: true });
  });

  /** Alone, in a list, and as a name where it is in one line. */
  const entry = (text: string, index: number) =>
    `  test:alone${index}: ${text}\n  test:inside${index}:\n    - ${text}\n` +
    (text.includes("\n") || text === "" ? "" : `  test:name${index}:\n    ${text}: 1\n`);
  const isTaken = (text: string): boolean => {
    writeFileSync(file, `config:\n${entry(text, 0)}`);
    try {
      readStackConfig("trial", folder);
      return true;
    } catch (error) {
      expect(error, text).to.be.an.instanceOf(UserError);
      return false;
    }
  };

  async function configIn(configFile: string): Promise<Record<string, string>> {
    const args = ["config", "--json", "--stack", "trial", "--config-file", configFile];
    const { stdout } = await command.run(args, folder, env);
    const all = Object.entries(JSON.parse(stdout) as Record<string, { value?: string }>);
    return Object.fromEntries(all.map(([key, { value = "" }]) => [key, value]));
  }

  async function configOfProgram(configFile: string): Promise<Record<string, string>> {
    let seen: Record<string, string> = {};
    const program = () => {
      seen = { ...pulumi.runtime.allConfig() };
      return Promise.resolve({});
    };
    const workspace = await LocalWorkspace.create({
      ...{ workDir: folder, pulumiCommand: command, envVars: { ...env }, program },
    });
    workspace.selectStack = () => Promise.resolve();
    await (await Stack.select("trial", workspace)).preview({ configFile });
    return seen;
  }

  /** What is JSON as what it stands for: its spaces and the form of its numbers are each writer's own. */
  const understood = (config: Readonly<Record<string, string>>): Record<string, unknown> => {
    const own = Object.entries(config).filter(([key]) => key.startsWith("test:"));
    return Object.fromEntries(own.map(([key, text]) => [key, parsedJson(text)] as const));
  };

  const forms: Record<string, (text: string) => string> = {
    "as it is": (text) => text,
    "with lines that end as on Windows, and a byte order mark": (text) =>
      `\uFEFF${text.replaceAll("\n", "\r\n")}`,
  };
  for (const [what, form] of Object.entries(forms))
    it(`is read alike by the engine, the program and the plan, or refused, ${what}`, async () => {
      const taken = scalars.filter(isTaken);
      expect(taken.length).to.be.within(scalars.length / 2, scalars.length - 20);
      writeFileSync(file, form(`config:\n${taken.map(entry).join("")}`));
      const plan = understood(readStackConfig("trial", folder).config);
      expect(understood(await configIn(file)), "the engine, of the user's file").to.deep.equal(plan);
      writeSettings("trial", { prebuilt: {} });
      expect(understood(await configIn(settingsFile("trial"))), "of ours").to.deep.equal(plan);
      expect(understood(await configOfProgram(settingsFile("trial"))), "the program").to.deep.equal(plan);
    });
});
