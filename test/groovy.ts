/** The parser of the Groovy that Jenkins has in it: fetched by Maven, run by Java. It only reads. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";

import { onPath } from "../cli/onPath";
import { homeDir, projectDir } from "../cli/paths";
import type { OpenStep } from "../cli/progress";

const execute = promisify(execFile);
const folder = path.join(projectDir, "tools", "groovy");
const pom = path.join(folder, "pom.xml");
const [, version = ""] = /<version>(\d+\.\d+\.\d+)</.exec(readFileSync(pom, "utf8")) ?? [];
const jar = path.join(homeDir(), "tools", `groovy-${version}`, `groovy-all-${version}.jar`);
/** How long Maven may take to fetch it, and its own plugin. */
const fetchMilliseconds = 180_000;
const readMilliseconds = 120_000;

/** What is missing on this machine; undefined if nothing is. */
function missing(): string | undefined {
  const tools = ["javac", "mvn"].filter((name) => onPath(name) === undefined);
  return tools.length === 0 ? undefined : `there is no ${tools.join(" and no ")} on the PATH`;
}

/** Fetches the parser, if it is not here. Where it cannot be had, the tests that need it say why, and are skipped. */
export async function prepareGroovy(step: OpenStep): Promise<void> {
  if (existsSync(jar)) {
    step.detail(version);
    return;
  }
  const without = missing();
  if (without !== undefined) {
    step.skip(without);
    return;
  }
  const place = path.dirname(jar);
  mkdirSync(path.dirname(place), { recursive: true });
  const fresh = mkdtempSync(`${place}-`);
  try {
    const goal = ["dependency:copy-dependencies", `-DoutputDirectory=${fresh}`];
    // A file that is not what its checksum says is no file.
    await execute("mvn", ["--batch-mode", "--quiet", "--strict-checksums", `--file=${pom}`, ...goal], {
      timeout: fetchMilliseconds,
      killSignal: "SIGKILL",
    });
    rmSync(place, { recursive: true, force: true });
    renameSync(fresh, place);
    step.detail(`${version}, fetched`);
  } catch (error) {
    const { message } = error as Error;
    step.skip(`Maven does not fetch it: ${message.trim().split("\n").at(-1) ?? ""}`);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Why Groovy cannot be read here; undefined if it can. */
export function withoutGroovy(): string | undefined {
  if (onPath("javac") === undefined) return "there is no javac on the PATH";
  return existsSync(jar) ? undefined : (missing() ?? "the parser is not here: `npm test -- unit` fetches it");
}

/** A call of a Groovy file, such as a section of a pipeline. */
export interface Call {
  readonly call: string;
  readonly line: number;
  readonly args: readonly Tree[];
  readonly named: Readonly<Record<string, Tree>>;
  /** The statements of the closure that is its last argument, if it has one. */
  readonly block?: readonly Tree[];
}

/** What stands in a Groovy file: constants, and of what is more than a constant its parts, or its text. */
export type Tree =
  | string
  | number
  | boolean
  | null
  | readonly Tree[]
  | Call
  | { readonly gstring: string }
  | { readonly name: string; readonly value: Tree }
  | { readonly text: string };

/** A Groovy file, as it was read. */
export interface Read {
  readonly file: string;
  /** What is wrong with it, by the parser. */
  readonly error?: string;
  readonly statements?: readonly Tree[];
}

/** Reads Groovy files, and runs nothing of them. */
export async function readGroovy(files: readonly string[]): Promise<readonly Read[]> {
  const args = ["-cp", jar, path.join(folder, "Tree.java"), ...files];
  const { stdout } = await execute("java", args, { timeout: readMilliseconds, maxBuffer: 1 << 26 });
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Read);
}
