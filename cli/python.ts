import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";

import { bringPython } from "./broughtPython";
import { contentsOf, isWhole, readMark, writeMark } from "./environmentMark";
import { UserError, messageOf } from "./errors";
import { type Interpreter, findPython, installerVersions, supportedVersions } from "./interpreter";
import { lockOf } from "./lockFiles";
import { onPath } from "./onPath";
import { homeDir, mlAppDir } from "./paths";
import { type Command, lastLines, run } from "./process";
import type { Step } from "./progress";
import { installHere, plainPython, surroundings, withoutProxy } from "./surroundings";

const execute = promisify(execFile);

/** What pip and uv say where there is no way to the package index. */
const unreachableIndex =
  /connection (broken|refused|timed)|dns error|tcp connect|proxy|unreachable|timed out/i;
const uvLockFile = "environments/uv.txt";

/** A Python environment of the platform, complete and ready to run. */
export class Environment {
  constructor(
    private readonly folder: string,
    /** Tells environments with other packages apart: the digest of the lock file it was installed from. */
    readonly id: string,
  ) {}

  /** The environment's interpreter. */
  get python(): string {
    return path.join(this.folder, "bin", "python");
  }

  /**
   * A command that runs a module of the Python side in this environment.
   *
   * @param cwd folder to run in. @default this process's
   */
  module(
    name: string,
    log: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    cwd?: string,
  ): Command {
    return {
      name,
      file: this.python,
      args: ["-m", ...args],
      env: {
        ...surroundings(),
        PYTHONPATH: mlAppDir,
        PYTHONUNBUFFERED: "1",
        ...withoutProxy(),
        ...env,
      },
      ...(cwd === undefined ? {} : { cwd }),
      log,
      passing: true,
    };
  }
}

/** uv, the package installer, and the settings that it needs here. */
export interface Uv {
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Makes Python environments, and finds those that are made. */
export class Environments {
  private readonly interpreters = new Map<string, Promise<Interpreter>>();
  private uv: Promise<Uv> | undefined;
  private readonly pinned = new Map<string, Promise<Environment>>();

  /**
   * @param signal ends an installation under way.
   * @param wanted an interpreter that the user named: environments of another version are made anew with it.
   */
  constructor(
    readonly signal: AbortSignal,
    readonly wanted = process.env["MLPLATFORM_PYTHON"],
  ) {}

  /**
   * Makes an environment, or finds it made.
   *
   * An interrupted installation is seen by its missing mark and made anew; what was downloaded is not fetched again.
   *
   * @param name a shared one, or that of an image of a model.
   * @throws UserError there is no fitting Python, the package index cannot be reached, or a package not be installed.
   */
  async ensure(name: string, step: Step): Promise<Environment> {
    return this.makeLocked(path.join(mlAppDir, lockOf(name)), step, name);
  }

  /**
   * Makes an environment of another lock file, or finds it made. It has the name of its content.
   *
   * @param lock its path; complete, with a hash for each file.
   * @throws UserError as {@link ensure}.
   */
  async ensureLocked(lock: string, step: Step): Promise<Environment> {
    return this.makeLocked(lock, step);
  }

  /**
   * Makes an environment of these packages with this interpreter, or finds it made. It has the name of both.
   *
   * @param pins `name==version` of every package.
   * @throws UserError a package cannot be installed, or the index not be reached.
   */
  async ensurePinned(pins: readonly string[], interpreter: Interpreter, step: Step): Promise<Environment> {
    const id = createHash("sha256")
      .update([interpreter.version, ...pins].join("\n"))
      .digest("hex");
    // Several models may have the same.
    const known = this.pinned.get(id);
    if (known !== undefined) return known;
    const name = `model-${id.slice(0, 12)}`;
    const making = this.make(name, id, pins, () => Promise.resolve(interpreter), step);
    this.pinned.set(id, making);
    return making;
  }

  /** @param name of the environment. @default that of the lock file's content */
  private makeLocked(lock: string, step: Step, name?: string): Promise<Environment> {
    const id = digest(lock);
    // The lock file is complete and has a hash for each file.
    const locked = ["-r", lock, "--require-hashes"];
    return this.make(name ?? `lock-${id.slice(0, 12)}`, id, locked, () => this.interpreter(step), step);
  }

  /** @param lock tells environments of one name apart. */
  private async make(
    name: string,
    lock: string,
    packages: readonly string[],
    find: () => Promise<Interpreter>,
    step: Step,
  ): Promise<Environment> {
    const folder = path.join(homeDir(), "env", name);
    const installed = readMark(folder);
    const python = this.wanted && (await find()).version;
    const fits = installed?.lock === lock && (!python || python === installed.python);
    if (fits && (await isWhole(folder, installed))) {
      step.detail(`Python ${installed.python}, unchanged`);
      return new Environment(folder, lock);
    }
    const interpreter = await find();
    const uv = await this.packageInstaller(step);
    step.detail(`${fits ? "damaged, " : ""}installing with Python ${interpreter.version}`);
    const log = path.join(homeDir(), "logs", `install-${name}.log`);
    const asUv = (...args: string[]) =>
      this.install(
        { name: `Python environment ${name}`, file: uv.file, args, env: uv.env, log, passing: true },
        step,
      );
    const fill = async (...how: string[]) => {
      await asUv("venv", "--clear", "--python", interpreter.file, folder);
      // All packages are named, and none is built, so no package's code runs here.
      const rules = ["--no-deps", "--only-binary", ":all:"];
      await asUv("pip", "install", "--python", folder, ...rules, ...how, ...packages);
      return { lock, python: interpreter.version, contents: contentsOf(folder) };
    };
    let mark = await fill();
    // What uv keeps for the next time is the same file as that in an environment, and so as damaged.
    if (fits && !(await isWhole(folder, mark))) mark = await fill("--no-cache");
    writeMark(folder, mark);
    step.detail(`Python ${interpreter.version}, installed`);
    return new Environment(folder, lock);
  }

  /** The installer of the environments, installed if it is not; those that need it at once share it. */
  packageInstaller(step: Step): Promise<Uv> {
    return (this.uv ??= this.installUv(step));
  }

  /**
   * A Python of one of these versions: one that is here, or else one that uv brings.
   *
   * @param versions the best first. @default those of the lock files
   * @throws UserError there is none, and none can be had; says what was found and how to get one.
   */
  interpreter(step: Step, versions = supportedVersions): Promise<Interpreter> {
    const key = versions.join();
    const known = this.interpreters.get(key) ?? this.findOrBring(step, versions);
    this.interpreters.set(key, known);
    return known;
  }

  private async findOrBring(step: Step, versions: readonly string[]): Promise<Interpreter> {
    try {
      return await findPython(this.wanted, versions);
    } catch (missing) {
      if (!(missing instanceof UserError) || this.wanted !== undefined) throw missing;
      const uv = (await hostOfInstaller()) ? (await this.packageInstaller(step)).file : onPath("uv");
      if (uv === undefined)
        throw new UserError(
          `${missing.message}\n  Or install uv, which brings one: https://docs.astral.sh/uv/`,
        );
      return await bringPython(uv, versions, step, this.signal).catch((error: unknown) => {
        this.signal.throwIfAborted();
        throw new UserError(`${missing.message}\n  ${messageOf(error)}`);
      });
    }
  }

  /** Runs a command that fetches packages. */
  private async install(command: Command, step: Step): Promise<void> {
    try {
      await run({ ...command, env: { ...installHere(), ...command.env } }, this.signal, (line) => {
        step.detail(line);
      });
    } catch (error) {
      throw error instanceof UserError ? indexUnreachable(command.log, error) : error;
    }
  }

  /** Installs uv, which reads the lock files of the others: it takes a second where pip takes a minute. */
  private async installUv(step: Step): Promise<Uv> {
    const host = this.wanted === undefined ? await hostOfInstaller() : undefined;
    const interpreter = host ?? (await this.interpreter(step));
    const folder = path.join(homeDir(), "env", "uv");
    const python = path.join(folder, "bin", "python");
    const lock = digest(path.join(mlAppDir, uvLockFile));
    const installed = readMark(folder);
    const fits = installed?.lock === lock && installed.python === interpreter.version;
    if (!fits || !(await isWhole(folder, installed))) {
      step.detail("installing uv, the package installer");
      rmSync(folder, { recursive: true, force: true });
      const command = {
        name: "Python package installer (uv)",
        log: path.join(homeDir(), "logs", "install-uv.log"),
        passing: true,
      };
      const venv = { file: interpreter.file, args: ["-m", "venv", folder], env: installHere() };
      await run({ ...command, ...venv }, this.signal);
      const impatient = ["--retries", "2", "--timeout", "20", "--disable-pip-version-check"];
      const install = [
        "-m",
        "pip",
        "install",
        ...impatient,
        "--require-hashes",
        "-r",
        path.join(mlAppDir, uvLockFile),
      ];
      await this.install({ ...command, file: python, args: install }, step);
      writeMark(folder, { lock, python: interpreter.version, contents: contentsOf(folder) });
    }
    // Without this uv would download a Python of its own where the given one does not please it.
    const env = { UV_PYTHON_DOWNLOADS: "never", ...(await pipSettings(python)) };
    return { file: path.join(folder, "bin", "uv"), env };
  }
}

/** A Python of this machine on which uv can be installed; undefined if there is none. */
async function hostOfInstaller(): Promise<Interpreter | undefined> {
  return findPython(undefined, installerVersions).catch(() => undefined);
}

/** The error of a command that fetches packages; where its log says that there is no way to the index, that is told. */
export function indexUnreachable(log: string, error: UserError): UserError {
  if (!lastLines(log, 20).some((line) => unreachableIndex.test(line))) return error;
  return new UserError(
    "the index of Python packages cannot be reached. Check the network; " +
      `PIP_INDEX_URL names another index, HTTPS_PROXY a proxy.\n  ${error.message}`,
  );
}

/** uv reads none of pip's settings: hand on those that say where packages come from. */
async function pipSettings(python: string): Promise<Record<string, string>> {
  const { stdout } = await execute(python, ["-m", "pip", "config", "list"], { env: plainPython() });
  const setting = (key: string) => new RegExp(`^[^=]*\\.${key}='(.*)'$`, "m").exec(stdout)?.[1];
  const wanted = {
    UV_DEFAULT_INDEX: setting("index-url"),
    UV_INDEX: setting("extra-index-url"),
    SSL_CERT_FILE: setting("cert"),
  };
  const set = Object.entries(wanted).filter(
    ([key, value]) => value !== undefined && process.env[key] === undefined,
  );
  return Object.fromEntries(set) as Record<string, string>;
}

function digest(lock: string): string {
  return createHash("sha256").update(readFileSync(lock)).digest("hex");
}
