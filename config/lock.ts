/**
 * The lock: which version each name of MLflow's registry stands for. A stack's file says the wish, this one what was
 * decided; the program reads it, and never asks the registry.
 */
import { readFileSync } from "node:fs";
import * as path from "node:path";

import { parseDocument } from "yaml";
import * as z from "zod";

import { s3Folder } from "./addresses";
import type { Environment } from "./fields";
import { registryName } from "./registryNames";

const decisionShape = z.strictObject({
  /** Number of the version. */
  version: z.int().min(1),
  /** The run that logged it; empty if none did. */
  run: z.string(),
  /** Where its files lie, a folder that no other version gets. */
  files: s3Folder,
  /** Library and format of its files, as manifests name them: `xgboost-ubj`. */
  form: z.string().min(1),
  /** What it needs at the versions that it was logged with, by package. */
  libraries: z.record(z.string(), z.string()),
  /** Scores of the run, by name. */
  metrics: z.record(z.string(), z.number()),
  /** Columns and outputs, as MLflow writes them: JSON; left out if it was logged without. */
  signature: z.strictObject({ inputs: z.string(), outputs: z.string().optional() }).optional(),
  /** When it was registered, and when and by whom it was decided on. */
  registered: z.iso.datetime(),
  decided: z.strictObject({ at: z.iso.datetime(), by: z.string() }),
});

/** What was decided for one name. */
export type Decision = Readonly<z.output<typeof decisionShape>>;
/** What was decided, by the names that stacks wish for: `models:/churn@champion`. */
export type Decisions = Readonly<Record<string, Decision>>;

const lockShape = z.strictObject({
  models: z.record(
    z.string().refine((name) => registryName(name) !== undefined, { error: "is no name in the registry" }),
    decisionShape,
  ),
});

/** A lock as it stands on disk. */
export interface Lock {
  readonly decisions: Decisions;
  /** What is wrong with the file; nothing of it is taken then. */
  readonly problems: readonly string[];
}

const projectDir = path.dirname(__dirname);

/**
 * The file of a stack's lock. It stands beside the stack's file, to be committed; that of `dev` beside the state of this
 * machine, whose cluster comes and goes.
 */
export function lockFile(stack: string, environment: Environment): string {
  const home = process.env["MLPLATFORM_HOME"] ?? path.join(projectDir, ".mlplatform");
  return path.join(environment === "dev" ? home : projectDir, `models.${stack}.lock.yaml`);
}

/** Reads a lock; one that is not there has decided nothing. */
export function readLock(file: string): Lock {
  const wrong = (...problems: string[]): Lock => ({ decisions: {}, problems });
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? wrong() : wrong(message);
  }
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) return wrong(`is not YAML: ${error.message.split("\n", 1)[0] ?? ""}`);
  const parsed = lockShape.safeParse(document.toJS());
  if (parsed.success) return { decisions: parsed.data.models, problems: [] };
  return wrong(
    ...parsed.error.issues.map(({ path: place, message }) => `${place.join(".") || "it"}: ${message}`),
  );
}
