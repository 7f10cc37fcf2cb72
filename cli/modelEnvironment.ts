/** Which packages serve a model of somebody else's: those that it requires, and our model server, resolved together. */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { listed } from "../config/words";
import { UserError } from "./errors";
import { homeDir, mlAppDir } from "./paths";
import { run } from "./process";
import { type Uv, indexUnreachable } from "./python";
import { installHere } from "./surroundings";

/** For which Python, on which machine, packages are wanted. */
export interface Target {
  /** `3.12`, or an exact version. */
  readonly python: string;
  /** As uv names it: `linux`, `aarch64-manylinux_2_36`. @default this machine */
  readonly platform?: string | undefined;
}

/** A line of `requirements.txt`. */
interface Requirement {
  readonly name: string;
  /** As it was written, without a comment. */
  readonly text: string;
  /** What follows the name and its extras: versions and markers. */
  readonly rest: string;
}

const serverInput = path.join(mlAppDir, "environments", "model-server.in");
const imageInput = path.join(mlAppDir, "environments", "mlserver-image.in");
const scoringInput = path.join(mlAppDir, "environments", "scoring.in");
const overrides = path.join(mlAppDir, "environments", "model-server-overrides.txt");

/** Of the pins of MLServer's images, those that no model may move: a later uvloop ends its workers. */
const firmPins = ["mlserver", "uvloop"];
/** The oldest MLflow that MLServer's runtime for MLflow takes; it reads what older ones have logged. */
const oldestMlflow = "2.19.0";
const shownCharacters = 400;

/** No requirement is longer; what reads a line takes time with its length. */
const longestLine = 500;
/** Name, extras, and what follows them. */
const requirementLine = /^([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?) ?(\[[\w ,.-]*\])? ?(.*)$/i;
const versionsOf = /^\(?((?:===|[<>=!~]=|[<>]) ?[\w.*+!-]+ ?(?:, ?|(?=\)|$)))*\)?$/;
const marker = /^[^$@/\\]*$/;
const archive = /\.(whl|zip|tar|tgz|gz|bz2|xz)$/i;

/**
 * Finds the packages that serve a model: exact versions of all that it requires, of our model server, and of what those
 * require, as uv resolves them together. No package's code is run: those that would have to be built are refused.
 *
 * @param requirements content of the model's `requirements.txt`.
 * @returns `name==version` for every package, sorted by name.
 * @throws UserError a requirement is no package of an index, or cannot be had; says which, and why. Or the index cannot
 *   be reached.
 */
export function resolve(
  requirements: string,
  target: Target,
  uv: Uv,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return resolveWith({ further: [], known: [] }, requirements, target, uv, signal);
}

/**
 * Finds the packages that score tables by a model: those that serve it, as far as they go with what reads and writes tables.
 * What the model itself requires of that stays its own.
 *
 * @param serving as {@link resolve} has found them.
 * @returns all of them, in the same form.
 * @throws UserError as {@link resolve}.
 */
export function resolveScoring(
  requirements: string,
  serving: readonly string[],
  target: Target,
  uv: Uv,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const there = new Set([
    ...requirementsOf(requirements).map(({ name }) => name),
    ...serving.map((pin) => normal(nameIn(pin))),
  ]);
  const further = linesOf(scoringInput).filter((line) => !there.has(nameIn(line)));
  return resolveWith({ further, known: serving }, requirements, target, uv, signal);
}

/** What is installed beside what a model requires, in these versions if they go with that; and packages that it is to keep. */
interface Beside {
  readonly further: readonly string[];
  readonly known: readonly string[];
}

async function resolveWith(
  { further, known }: Beside,
  requirements: string,
  target: Target,
  uv: Uv,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const wanted = requirementsOf(requirements);
  const attemptWith = (lines: readonly string[], server: string) =>
    compile([server, ...lines, ...forServing(wanted)].join("\n"), known, target, uv, signal);
  const attempt = async (server: string) => {
    try {
      return await attemptWith(further, server);
    } catch (error) {
      if (!(error instanceof Unsolvable) || further.length === 0) throw error;
      return attemptWith(further.map(nameIn), server);
    }
  };
  try {
    return await attempt(`-r ${serverInput}`);
  } catch (error) {
    // A model may need others than the images of MLServer have, and MLServer takes them.
    if (!(error instanceof Unsolvable) || !loosePins().some((name) => names(error.proof, name)))
      throw error instanceof Unsolvable ? error.told(wanted, target) : error;
  }
  const firm = linesOf(imageInput).filter((line) => firmPins.some((name) => line.startsWith(`${name}==`)));
  const others = linesOf(serverInput).filter((line) => !line.startsWith("-r "));
  try {
    return await attempt([...firm, ...others].join("\n"));
  } catch (error) {
    throw error instanceof Unsolvable ? error.told(wanted, target) : error;
  }
}

/** The packages in the wording of uv's proof that there are none which fit. */
class Unsolvable extends Error {
  constructor(readonly proof: string) {
    super(proof);
  }

  /** The error for a user: which of the model's requirements it is, and why. */
  told(wanted: readonly Requirement[], { python, platform }: Target): UserError {
    const installed = (name: string) => (name === "mlflow" ? "mlflow-skinny" : name);
    const culprits = wanted.filter(({ name }) => names(this.proof, installed(name))).map(({ text }) => text);
    const which =
      culprits.length === 0
        ? "what the model requires cannot be had together"
        : `${listed(culprits)}, which the model requires, cannot be had`;
    const where = `for Python ${python}${platform === undefined ? "" : ` on ${platform}`}`;
    return new UserError(`${which} ${where}: ${premises(this.proof)}`);
  }
}

/** What uv concludes from, without its conclusions. */
function premises(proof: string): string {
  const steps = proof
    .replace(/^Because /, "")
    .split(/,? we can conclude that .*?(?:\.\s+And because |\.?$)/s)
    .map((step) => step.replace(/ and you require (mlserver|mlserver-mlflow)==\S+$/, ""))
    .map((step) => step.replace(/ and you require [\w.-]+(\[\S*\])?[=<>!~]=?[^\s]*$/, ""))
    .filter((step) => step.trim() !== "");
  const text = steps.join("; ").replaceAll("you require", "it requires");
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : `${text}.`;
}

async function compile(
  wanted: string,
  known: readonly string[],
  { python, platform }: Target,
  uv: Uv,
  signal: AbortSignal,
): Promise<string[]> {
  const folder = mkdtempSync(path.join(tmpdir(), "model-environment-"));
  const input = path.join(folder, "requirements.in");
  const text = `${wanted}\n`;
  const id = createHash("sha256").update(`${python} ${platform}\n${text}`).digest("hex").slice(0, 12);
  const log = path.join(homeDir(), "logs", `resolve-${id}.log`);
  writeFileSync(input, text);
  // What is known is what uv would have written before, and keeps to where it can.
  const before = path.join(folder, "requirements.txt");
  if (known.length > 0) writeFileSync(before, `${known.join("\n")}\n`);
  const form = [
    "--no-header",
    "--no-annotate",
    ...(known.length > 0 ? ["--output-file", before] : ["--quiet"]),
  ];
  const machine = [
    "--python-version",
    python,
    ...(platform === undefined ? [] : ["--python-platform", platform]),
  ];
  const rules = ["--overrides", overrides, "--only-binary", ":all:"];
  try {
    const output = await run(
      {
        name: "packages of the model",
        file: uv.file,
        args: ["pip", "compile", ...form, ...machine, ...rules, input],
        env: { ...installHere(), ...uv.env },
        // Where the user stands uv may find settings.
        cwd: folder,
        log,
        passing: true,
      },
      signal,
    );
    return output.match(/^[\w.-]+==\S+/gm)?.sort() ?? [];
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof UserError)) throw error;
    const proof =
      /No solution found[^\n]*\n\s*(?:cause:|╰─▶|×)?\s*(Because .*?)(?:\n\s*\n|\n\s*hint:|$)/s.exec(
        readFileSync(log, "utf8"),
      )?.[1];
    if (proof === undefined) throw indexUnreachable(log, error);
    throw new Unsolvable(proof.replace(/[\s│]+/g, " ").trim());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The packages that a model requires.
 *
 * @param text content of its `requirements.txt`.
 * @throws UserError lines that name no package of an index, all of them.
 */
export function requirementsOf(text: string): readonly Requirement[] {
  const lines = text
    .replace(/\\\r?\n/g, " ")
    .split(/\r?\n/)
    .map((line) =>
      line
        .replace(/(^|\s)#.*$/, "")
        .replace(/\s--hash=\S+/g, "")
        .replace(/\s+/g, " ")
        .trim(),
    )
    .filter((line) => line !== "");
  const read = lines.map((line) => ({ line, requirement: requirementOf(line) }));
  const odd = read.filter(({ requirement }) => requirement === undefined).map(({ line }) => line);
  if (odd.length > 0)
    throw new UserError(
      `its requirements have ${listed(odd.map((line) => JSON.stringify(line.slice(0, 100))))}, and only packages of ` +
        "an index, by name and version, can be installed. Log the model again with pip_requirements that name such.",
    );
  return read.flatMap(({ requirement }) => requirement ?? []);
}

function requirementOf(line: string): Requirement | undefined {
  if (line.length > longestLine) return undefined;
  const [, name = "", , rest = ""] = requirementLine.exec(line) ?? [];
  const [versions = "", ...markers] = rest.split(";");
  const isRead = versionsOf.test(versions.trim()) && marker.test(markers.join(";"));
  if (name === "" || archive.test(name) || !isRead) return undefined;
  return { name: normal(name), text: line, rest: rest.trim() };
}

/** What is installed for requirements: of MLflow what serving needs. */
function forServing(wanted: readonly Requirement[]): string[] {
  const mlflow = wanted.filter(({ name }) => name === "mlflow" || name === "mlflow-skinny");
  const others = wanted.filter((one) => !mlflow.includes(one)).map(({ text }) => text);
  // What an older one has logged is left to those that are nearest to it.
  const skinny = mlflow.map(({ rest }) => `mlflow-skinny${isOlder(rest) ? "<3" : rest}`);
  return [...others, ...skinny, `mlflow-skinny>=${oldestMlflow}`];
}

/** Whether a requirement is for an MLflow that is older than any that serves. */
function isOlder(rest: string): boolean {
  const [, major, minor] = /^\(?={2,3} ?(\d+)\.(\d+)/.exec(rest) ?? [];
  if (major === undefined) return false;
  const [oldestMajor = 0, oldestMinor = 0] = oldestMlflow.split(".").map(Number);
  return Number(major) < oldestMajor || (Number(major) === oldestMajor && Number(minor) < oldestMinor);
}

/** The packages whose versions in MLServer's images give way to what a model requires. */
function loosePins(): string[] {
  const pinned = linesOf(imageInput).map(nameIn);
  return pinned.filter((name) => !firmPins.includes(name));
}

/** The name of the package in a line. */
function nameIn(line: string): string {
  return line.split("==", 1)[0] ?? "";
}

function linesOf(file: string): string[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** Whether a text of uv's names a package. */
function names(text: string, name: string): boolean {
  return new RegExp(`(?<![\\w.-])${name.replace(/[.]/g, "\\.")}(?![\\w-])`, "i").test(text);
}

/** A package's name as an index compares it: https://packaging.python.org/en/latest/specifications/name-normalization/ */
export function normal(name: string): string {
  return name.toLowerCase().replace(/[._-]+/g, "-");
}
