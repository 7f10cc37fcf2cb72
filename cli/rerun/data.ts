/** Finds the data of a run: by their content, wherever they lie. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, statSync } from "node:fs";
import * as path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { UserError, messageOf } from "../errors";
import { isUrl } from "../local/fingerprint";
import type { MlflowClient } from "../mlflow";
import { plainFile } from "../plainFile";
import type { RunRecord } from "./record";

/** Where the data of a run are. */
export interface FoundData {
  /** The file that has them. */
  readonly file: string;
  /** For people. */
  readonly where: string;
}

/** Fetches what is at an address into a file. @returns why it cannot be had; undefined if it is there */
export type Fetch = (address: string, file: string) => Promise<string | undefined>;

/**
 * Finds them: those that the user names, the copy that is kept, or what is at their address.
 *
 * @param given a file that the user names.
 * @param folder where a copy may be put.
 * @param fetch is asked for what is at an address of the web or of S3.
 * @throws UserError they are nowhere; says where they were looked for.
 */
export async function findData(
  mlflow: MlflowClient,
  { data: { address, sha256, kept } }: Pick<RunRecord, "data">,
  given: string | undefined,
  folder: string,
  fetch: Fetch,
): Promise<FoundData> {
  if (given !== undefined) {
    const file = plainFile("--data", given);
    const found = await digestOf(file);
    if (found === sha256) return { file, where: `${file}, which has the same content` };
    throw new UserError(
      `--data: ${file} are other data than those of the run: their SHA-256 is ${found}, and not ${sha256}.`,
    );
  }
  const looked: string[] = [];
  // MLflow hands it out by the run that it is an artifact of, in whichever bucket it lies.
  const [, run, name] = /\/([0-9a-f]{32})\/artifacts\/([^/]+)$/.exec(kept ?? "") ?? [];
  if (kept === null) looked.push("the run has kept no copy of them");
  else if (run === undefined || name === undefined)
    looked.push(`their copy is said to be at ${kept}, which is no artifact of a run`);
  else {
    // Not by the name that it has there, which somebody else may have written.
    const copy = path.join(folder, "copy.csv");
    const problem = await fetchCopy(mlflow, run, name, copy);
    if (problem !== undefined) looked.push(`their copy, ${kept}, ${problem}`);
    else if ((await digestOf(copy)) === sha256)
      return { file: copy, where: `the copy that is kept, ${kept}` };
    else looked.push(`their copy, ${kept}, has another content`);
  }
  const isElsewhere = isUrl(address);
  const file = isElsewhere ? path.join(folder, "fetched.csv") : address;
  const problem = isElsewhere ? await fetch(address, file) : absent(file);
  if (problem === undefined && (await digestOf(file)) === sha256) return { file, where: address };
  looked.push(problem ?? `${address} has another content now`);
  throw new UserError(
    `the data of this run are missing: ${looked.join(", and ")}. If you have them, name the file: --data FILE. ` +
      `Their SHA-256 is ${sha256}.`,
  );
}

function absent(file: string): string | undefined {
  const isFile = statSync(file, { throwIfNoEntry: false })?.isFile() === true;
  return isFile ? undefined : `${file} is not on this machine`;
}

/** Fetches an artifact of a run into a file. @returns why it cannot be had; undefined if it is there. */
async function fetchCopy(
  mlflow: MlflowClient,
  run: string,
  name: string,
  file: string,
): Promise<string | undefined> {
  try {
    if (!(await mlflow.artifactsOfRun(run)).includes(name)) return "is gone";
    await mlflow.readOfRun(run, name, (bytes) => pipeline(Readable.from(bytes), createWriteStream(file)));
    return undefined;
  } catch (error) {
    // MLflow may not read the bucket, whose users are others' in a store outside of the cluster.
    return `cannot be fetched (${messageOf(error)})`;
  }
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
