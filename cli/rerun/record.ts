/** What a run of the project's trainings has recorded of itself, by which it can be run again. */
import * as z from "zod";

import { type Manifest, manifests } from "../../config/manifests";
import { UserError } from "../errors";
import type { MlflowClient, RunFacts } from "../mlflow";
import { proxied } from "../mlflowAnswers";

/** The artifact that `ml-app/modelkit/repeating.py` writes. */
export const recordFile = "rerun.json";

/** What is shown to people. Anybody may have written it, so that a terminal is not to obey it. */
const shownText = z.string().regex(/^[\P{Cc}\t]*$/u);

const recordShape = z
  .object({
    format: z.literal(1),
    /** The model's folder. */
    training: z.string(),
    /** Files of the code by their paths from `ml-app/`, with git's names of their contents. */
    code: z.record(z.string().regex(/^(?!.*\.\.)[\w.-]+(\/[\w.-]+)*$/), z.string().regex(/^[0-9a-f]{40}$/)),
    data: z.object({
      address: shownText,
      sha256: z.string(),
      /** Where a copy is, an artifact of a run. */
      kept: shownText.nullable(),
    }),
    python: z.string(),
    machine: z.string(),
    /** Versions of all packages that were installed. */
    libraries: z.record(z.string(), z.string()),
    /** Digest of what the model answers to all rows. */
    answers: z.string(),
  })
  // Fewer would be in many a commit.
  .refine(({ code, training }) =>
    [`${training}/model.json`, `${training}/train/__main__.py`].every((file) => file in code),
  );

export type RunRecord = z.infer<typeof recordShape>;

/** A run that can be run again. */
export interface RecordedRun {
  readonly run: RunFacts;
  readonly record: RunRecord;
  readonly manifest: Manifest;
}

/** Reads a record. @throws UserError it is none. */
export function readRecord(text: string, whose: string): RunRecord {
  try {
    return recordShape.parse(JSON.parse(text));
  } catch {
    throw new UserError(
      `${whose} has a ${recordFile} that this version of the project cannot read: repeat the run with the version that made it.`,
    );
  }
}

/**
 * Finds a run.
 *
 * @param what its id; or a version of the registry: `house-price`, `house-price@challenger`, `models:/house-price/3`.
 * @throws UserError there is none, or nothing is recorded by which it could be run again.
 */
export async function findRun(mlflow: MlflowClient, what: string): Promise<RecordedRun> {
  const id = /^[0-9a-f]{32}$/.test(what) ? what : await runOfVersion(mlflow, what);
  const run = await mlflow.run(id);
  if (run === undefined) throw new UserError(`MLflow has no run ${id}. See: npm run open -- mlflow`);
  const whose = `run ${id}`;
  const folder = proxied(run.artifacts);
  if (folder === undefined)
    throw new UserError(
      `${whose} cannot be repeated: its artifacts are at ${run.artifacts}, which MLflow does not hand out: it has to run ` +
        "with --serve-artifacts.",
    );
  const text = (await mlflow.artifacts(folder)).includes(recordFile)
    ? await mlflow.artifact(`${folder}/${recordFile}`)
    : undefined;
  if (text === undefined)
    throw new UserError(
      `${whose} cannot be repeated: it has no ${recordFile}, the record of its code, data and libraries. It is no finished ` +
        "training of this project, or one from before such records were kept. What is known of it, its parameters and " +
        "metrics, is on its page: npm run open -- mlflow",
    );
  if (run.status !== "FINISHED")
    throw new UserError(`${whose} cannot be repeated: it is ${run.status}, so that no model came of it.`);
  const record = readRecord(text, whose);
  const manifest = manifests.find(({ folder: one }) => one === record.training);
  if (manifest === undefined)
    throw new UserError(
      `${whose} is a training of ml-app/${record.training}, which this clone of the project does not have. Update it: git pull`,
    );
  return { run, record, manifest };
}

async function runOfVersion(mlflow: MlflowClient, what: string): Promise<string> {
  const [, name, alias = "champion", number] =
    /^(?:models:\/)?([^@/:]+)(?:@([^@/:]+)|\/([1-9]\d*))?$/.exec(what) ?? [];
  if (name === undefined)
    throw new UserError(
      `${JSON.stringify(what)} is neither the id of a run, 32 hexadecimal digits, nor a version such as house-price, ` +
        "house-price@challenger or house-price/3.",
    );
  const version = await (number === undefined
    ? mlflow.versionByAlias(name, alias)
    : mlflow.version(name, number));
  if (version === undefined)
    throw new UserError(
      `MLflow has no ${number === undefined ? `version of ${name} with the alias ${alias}` : `${name} version ${number}`}.`,
    );
  if (version.runId === "")
    throw new UserError(`${name} version ${version.version} was registered by hand, and of no run.`);
  return version.runId;
}
