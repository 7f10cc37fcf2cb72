/**
 * `npm test`: every suite, several side by side, and `N passed, N failed` as the last line. What a suite writes comes whole
 * when it and those before it have ended.
 *
 * Arguments choose suites by name: `npm test -- unit`. These run one after the other, and write as they go. `kills` runs
 * by name only: all rounds of what `engine` and `local` run a few of.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { availableParallelism } from "node:os";
import * as path from "node:path";
import { Readable } from "node:stream";

import { manifests } from "../config/manifests";
import { homeDir, mlAppDir, projectDir } from "../cli/paths";
import { servingEnvironment } from "../cli/lockFiles";
import { type Need, prepare } from "./preparation";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface Outcome extends Counts {
  /** What to call the tests that failed. */
  failures: readonly string[];
}

/** A suite that has ended, and what there is to show of it. */
interface Ended extends Outcome {
  readonly shown: string;
}

/** A suite: a command that leaves a report behind, and a reader of that report. */
interface Suite {
  readonly name: string;
  /** What must be on this machine before its first test. */
  readonly needs: readonly Need[];
  /** @param python gives the interpreter of an environment that the suite needs. */
  readonly command: (report: string, python: (name: string) => string) => readonly string[];
  readonly folder: string;
  readonly read: (report: string) => Outcome;
  /** Variables of the command. @default none */
  readonly env?: Readonly<Record<string, string>>;
}

const reports = path.join(homeDir(), "test-reports");

/** The environments of real models. */
const ofLocal: readonly Need[] = ["tracking", "frontend", ...manifests.map(servingEnvironment)];

/** The long ones first, so that all lanes end at about the same time. */
const suites: readonly Suite[] = [
  mocha("local", "test/local/**/*.test.ts", [...ofLocal, "envoy"]),
  mocha("engine", "test/engine/**/*.test.ts", ["engine"]),
  mocha("unit", "test/unit/**/*.test.ts", ["groovy"]),
  pytest("mlserver", "mlserver-dev", "tests/mlserver", ["mlserver-mlflow", "any-model", "xgboost-next"]),
  pytest("training", "tracking-dev", "tests/train"),
  pytest("serving", "serving-dev", "tests/serve"),
  mocha("browser", "test/browser/**/*.test.ts", ofLocal),
  pytest("frontend", "frontend-dev", "tests/frontend"),
  mocha("golden", "test/golden/**/*.test.ts"),
  mocha("policy", "test/policy/**/*.test.ts"),
];

/** More would be kept waiting by the longest suite. */
const mostLanes = 3;

const byNameOnly: readonly Suite[] = [
  { ...mocha("kills", "test/engine/interruption.test.ts", ["engine"]), env: { ENGINE_ROUNDS: "50" } },
  { ...mocha("kills", "test/local/kills.test.ts", ofLocal), env: { LOCAL_ROUNDS: "30" } },
];

/** Neither runner sees the terminal where its lines are kept until it has ended. */
const color = process.stdout.isTTY && !process.env["NO_COLOR"];

function mocha(name: string, files: string, needs: readonly Need[] = []): Suite {
  const reporter = path.join(projectDir, "test", "reporter.ts");
  return {
    name,
    needs,
    folder: projectDir,
    command: (report) => [
      ...[process.execPath, path.join(projectDir, "node_modules", "mocha", "bin", "mocha.js")],
      // A test that fails may leave a process behind, which must not keep the suite from its end.
      ...["--exit", "--reporter", reporter, "--reporter-option", `report=${report}`, files],
      ...(color ? ["--color"] : []),
    ],
    read: (report) => JSON.parse(readFileSync(report, "utf8")) as Outcome,
  };
}

function pytest(name: string, environment: string, folder: string, needs: readonly Need[] = []): Suite {
  return {
    name,
    needs: [environment, ...needs],
    folder: mlAppDir,
    command: (report, python) => [
      ...[python(environment), "-m", "pytest", "-q", `--junitxml=${report}`, folder],
      ...(color ? ["--color=yes"] : []),
    ],
    read: (report) => {
      const text = readFileSync(report, "utf8");
      const attributes = /<testsuite [^>]*>/.exec(text)?.[0] ?? "";
      const count = (key: string) => Number(new RegExp(`\\b${key}="(\\d+)"`).exec(attributes)?.[1]);
      const failed = count("failures") + count("errors");
      const skipped = count("skipped");
      const failures = [
        ...text.matchAll(/<testcase classname="([^"]*)" name="([^"]*)"[^>]*><(?:failure|error)/g),
      ].map(([, file = "", name = ""]) => `${file} ${name}`);
      return { passed: count("tests") - failed - skipped, failed, skipped, failures };
    },
  };
}

/**
 * Runs one suite. A runner that leaves no report, or fails without a failed test, counts as one failure.
 *
 * @param live whether its lines come as they are written; else they are kept for the end.
 */
async function run(suite: Suite, python: (name: string) => string, live: boolean): Promise<Ended> {
  const report = path.join(reports, suite.name);
  const log = `${report}.log`;
  rmSync(report, { force: true });
  const title = `\n── ${suite.name} ──`;
  console.log(live ? title : `… ${suite.name} begins`);
  const [file = "", ...args] = suite.command(report, python);
  const began = Date.now();
  const output = live ? "inherit" : openSync(log, "w");
  // Whatever its tests leave goes with it, unless somebody has to find out what went wrong.
  const temporary = mkdtempSync(path.join(tmpdir(), `mlplatform-${suite.name}-`));
  const env = { ...process.env, TMPDIR: temporary, ...suite.env };
  const child = spawn(file, args, { cwd: suite.folder, env, stdio: ["inherit", output, output] });
  const [status] = (await once(child, "close").catch((error: unknown) => [error])) as unknown[];
  if (output !== "inherit") closeSync(output);
  let counts: Outcome;
  try {
    counts = suite.read(report);
  } catch {
    counts = { passed: 0, failed: 0, skipped: 0, failures: [] };
  }
  const nothingRan = counts.passed + counts.failed + counts.skipped === 0;
  if (counts.failed === 0 && (status !== 0 || nothingRan)) {
    counts.failed = 1;
    counts.failures = [`the suite ended with ${String(status)}${nothingRan ? " and ran no test" : ""}`];
  }
  if (counts.failed === 0) rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  const summary = `${suite.name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped in ${seconds} s`;
  if (!live) console.log(`… ${summary}`);
  return {
    ...counts,
    failures: counts.failures.map((title) => `${suite.name}: ${title}`),
    shown: live ? summary : [title, readFileSync(log, "utf8").trimEnd(), summary].join("\n"),
  };
}

async function main(): Promise<void> {
  mkdirSync(reports, { recursive: true });
  const names = process.argv.slice(2);
  const all = [...suites, ...byNameOnly];
  const unknown = names.filter((name) => !all.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    throw new Error(`no suite ${unknown.join(", ")}; there are ${all.map(({ name }) => name).join(", ")}`);
  }
  const wanted = names.length === 0 ? suites : all.filter(({ name }) => names.includes(name));
  const environments = await prepare(wanted.flatMap(({ needs }) => needs));
  // One more than there are processors: a third of the time the suites wait, for services to start and to end.
  const lanes = names.length === 0 ? Math.min(mostLanes, availableParallelism() + 1) : 1;
  // None waits for those before it to be shown.
  const sideBySide = { concurrency: lanes, highWaterMark: wanted.length };
  const python = (name: string) => environments(name).python;
  const each = (suite: Suite) => run(suite, python, lanes === 1);
  const ended = Readable.from(wanted).map(each, sideBySide) as AsyncIterable<Ended>;
  const results: Ended[] = [];
  for await (const suite of ended) {
    console.log(suite.shown);
    results.push(suite);
  }
  const failures = results.flatMap((outcome) => outcome.failures);
  const total = (key: keyof Counts) => results.reduce((sum, counts) => sum + counts[key], 0);
  if (total("skipped") > 0) console.log(`\n${total("skipped")} skipped; the reasons stand above.`);
  // Once more at the end: a log is often kept by its last lines alone.
  if (failures.length > 0) console.log(["", "Failed:", ...failures].join("\n  "));
  console.log(`\n${total("passed")} passed, ${total("failed")} failed`);
  process.exitCode = total("failed") === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  console.log("\n0 passed, 1 failed");
  process.exitCode = 1;
});
