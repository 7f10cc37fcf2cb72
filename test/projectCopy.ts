import { cpSync, mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { projectDir } from "../cli/paths";

/** What is no part of the project, or made anew. */
const left = [
  "node_modules",
  ".git",
  ".mlplatform",
  "__pycache__",
  ".mypy_cache",
  ".ruff_cache",
  ".pytest_cache",
];

/** Copies the project into a new temporary folder, its packages aside; whoever asks removes the folder around it. */
export function projectCopy(): string {
  const project = path.join(mkdtempSync(path.join(tmpdir(), "mlplatform-copy-")), "project");
  cpSync(projectDir, project, { recursive: true, filter: (file) => !left.includes(path.basename(file)) });
  symlinkSync(path.join(projectDir, "node_modules"), path.join(project, "node_modules"));
  return project;
}
