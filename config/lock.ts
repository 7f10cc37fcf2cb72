/**
 * The lock: which version each name of MLflow's registry stands for. A stack's file says the wish, this one what was
 * decided; the program reads it, and never asks the registry.
 */
import { lstatSync } from "node:fs";
import * as path from "node:path";

import { parse } from "yaml";
import * as z from "zod";

import { readText } from "./readText";
import { s3Folder } from "./addresses";
import { comparisons } from "./answers";
import { checksums } from "./checksums";
import type { Environment } from "./fields";
import { modelEnvironment } from "./mlflowServer";
import { registryName, registryScheme } from "./registryNames";
import { stateHome } from "./stateHome";

const decisionShape = z.strictObject({
  /** Number of the version. */
  version: z.int().min(1),
  /** The run that logged it; empty if none did. */
  run: z.string(),
  /** Where its files lie, a folder that no other version gets. */
  files: s3Folder,
  /** What they were, which its pods compare; left out if that was not looked at, and nothing is compared then. */
  sha256: checksums.optional(),
  /** Library and format of its files, as manifests name them: `xgboost-ubj`. */
  form: z.string().min(1),
  /** What loading it takes; left out by decisions of before, of which nothing of that is known. */
  loading: z
    .strictObject({
      /** MLflow's module, or another one, that Python loads it by; left out if it is none of Python's. */
      by: z.string().optional(),
      /** The Python that logged it: `3.12`. */
      python: z.string().optional(),
      /** The method that it answers by, where that is not `predict`: `predict_proba`. */
      answers: z.string().optional(),
      /** What of it runs code of whoever logged it, in words. */
      code: z.array(z.string()),
    })
    .optional(),
  /** What its answers are compared with: see `answers.ts`; left out by decisions of before, and nothing is then. */
  compared: z.enum(comparisons).optional(),
  /** What it needs at the versions that it was logged with, by package. */
  libraries: z.record(z.string(), z.string()),
  /** The packages of the image that serves it, where no prepackaged server does, or that computes its answers. */
  environment: modelEnvironment.optional(),
  /** Scores of the run, by name. */
  metrics: z.record(z.string(), z.number()),
  /** Columns and outputs, as MLflow writes them: JSON; left out if it was logged without. */
  signature: z.strictObject({ inputs: z.string(), outputs: z.string().optional() }).optional(),
  /** Another version of the model that is tried on a share of its requests; left out if none is. */
  canary: z.strictObject({ version: z.int().min(1), percent: z.int().min(1).max(99) }).optional(),
  /** When it was registered, and when and by whom it was decided on. */
  registered: z.iso.datetime(),
  decided: z.strictObject({ at: z.iso.datetime(), by: z.string() }),
});

/** What was decided for one name. */
export type Decision = Readonly<z.output<typeof decisionShape>>;
/** What was decided, by the names that stacks wish for: `models:/churn@champion`. */
export type Decisions = Readonly<Record<string, Decision>>;

const lockShape = z.strictObject({
  models: z
    .record(
      z.string().refine((name) => registryName(name) !== undefined, { error: "is no name in the registry" }),
      decisionShape,
    )
    .superRefine((models, context) => {
      for (const [wish, { version, canary }] of Object.entries(models)) {
        const tried = `${registryScheme}${registryName(wish)?.model ?? ""}/${canary?.version ?? version}`;
        if (canary !== undefined && models[tried] === undefined)
          context.addIssue({
            code: "custom",
            path: [wish, "canary"],
            message: `is version ${canary.version}, and nothing says what ${tried} is`,
          });
        const wanted = registryName(wish)?.version ?? version;
        if (wanted !== version)
          context.addIssue({
            code: "custom",
            path: [wish, "version"],
            message: `is ${version}, not ${wanted}`,
          });
      }
    }),
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
  return path.join(environment === "dev" ? stateHome() : projectDir, lockFileName(stack));
}

/** What the file of a stack's lock is called. */
export function lockFileName(stack: string): string {
  return `models.${stack}.lock.yaml`;
}

/** The stack whose lock a file is; undefined if it has a name of its own. */
export function stackOf(file: string): string | undefined {
  return /^models\.(.+)\.lock\.yaml$/.exec(path.basename(file))?.[1];
}

/** Reads a lock; one that is not there has decided nothing. */
export function readLock(file: string): Lock {
  let text: string;
  try {
    text = readText(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // A link that leads nowhere is there.
    const none = code === "ENOENT" && lstatSync(file, { throwIfNoEntry: false }) === undefined;
    return none ? wrong() : wrong(message);
  }
  return parseLock(text);
}

/** What the text of a lock says. */
export function parseLock(text: string): Lock {
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    return wrong(`is not YAML: ${(error as Error).message.split("\n", 1)[0] ?? ""}`);
  }
  const parsed = lockShape.safeParse(content);
  if (!parsed.success) return wrong(...told(parsed.error));
  return { decisions: parsed.data.models, problems: [] };
}

function wrong(...problems: string[]): Lock {
  return { decisions: {}, problems };
}

/** What keeps a decision from being written down; none if nothing does. */
export function flawsOf(wish: string, decision: Decision): string[] {
  const { error } = lockShape.safeParse({ models: { [wish]: decision } });
  return error === undefined ? [] : told(error);
}

function told({ issues }: z.ZodError): string[] {
  return issues.map(({ path: place, message }) => `${place.join(".") || "it"}: ${message}`);
}
