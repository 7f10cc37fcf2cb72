/** `npm run check`: formatting, lint and types of both languages; every check runs, then the result is told. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import * as path from "node:path";

import { manifests } from "../config/manifests";
import { units } from "../config/units";
import { mlAppDir, projectDir } from "../cli/paths";
import { prepare } from "./preparation";

interface Check {
  readonly name: string;
  readonly command: readonly string[];
  readonly folder: string;
}

function node(name: string, ...command: string[]): Check {
  const [tool = "", ...args] = command;
  const file = path.join(projectDir, "node_modules", ".bin", tool);
  return { name, command: [file, ...args], folder: projectDir };
}

function python(name: string, interpreter: string, ...args: string[]): Check {
  return { name, command: [interpreter, "-m", ...args], folder: mlAppDir };
}

async function checks(): Promise<Check[]> {
  const environments = await prepare(["tracking-dev", "serving-dev", "frontend-dev"]);
  const [tracking, serving] = [environments("tracking-dev"), environments("serving-dev")];
  const frontend = environments("frontend-dev");
  // What runs in an environment is checked with its packages; what runs in both, with both.
  const own = (...parts: string[]) =>
    manifests
      .flatMap(({ folder }) => parts.map((part) => `${folder}/${part}`))
      .filter((part) => existsSync(path.join(mlAppDir, part)));
  const shared = [
    ...own("features.py", "stored.py"),
    ...["mlmodel.py", "parity.py", "forest.py", "skopsfile.py", "skopsparts.py"].map(
      (file) => `modelkit/${file}`,
    ),
  ];
  return [
    node("prettier", "prettier", "--check", "--log-level", "warn", "."),
    node("eslint", "eslint", "--max-warnings", "0", "."),
    node("tsc", "tsc", "--noEmit", "--project", "."),
    python("ruff format", tracking.python, "ruff", "format", "--check", "--quiet", "."),
    python("ruff check", tracking.python, "ruff", "check", "--quiet", "."),
    python(
      "mypy, training",
      tracking.python,
      "mypy",
      "modelkit",
      "batch",
      ...own("train", "sample.py", "stored.py"),
      "wine_quality",
      "tests/train",
    ),
    python("mypy, standard servers", tracking.python, "mypy", "standardserver", "tests/mlserver"),
    python("mypy, front end", frontend.python, "mypy", "frontend", "tests/frontend"),
    python(
      "mypy, serving",
      serving.python,
      "mypy",
      "modelserver",
      ...own("serve"),
      ...units.map(({ folder }) => folder),
      "tests/serve",
      ...shared,
    ),
  ];
}

async function main(): Promise<void> {
  const failed = (await checks()).filter(({ name, command: [file = "", ...args], folder }) => {
    const began = Date.now();
    const { status } = spawnSync(file, args, { cwd: folder, stdio: "inherit" });
    console.log(
      `${status === 0 ? "✓" : "✗"} ${name.padEnd(22)} ${((Date.now() - began) / 1000).toFixed(1)} s`,
    );
    return status !== 0;
  });
  if (failed.length > 0) console.log(`\nFailed: ${failed.map(({ name }) => name).join("; ")}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
