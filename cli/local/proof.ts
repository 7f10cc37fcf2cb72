/** How a model server shows that it answers as it should, before it is in service. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { answersVariable } from "../../config/answers";
import { UserError } from "../errors";
import { checkParity, readParityRecord } from "../parity";
import type { Environment } from "../python";
import { localClient } from "./modelServer";
import { type Servable, isTrainedHere } from "./registered";
import type { LocalModel } from "./state";

const execute = promisify(execFile);

/** Asks a server. @throws UserError it does not answer as it should. */
export type Proof = (server: LocalModel) => Promise<string>;

/**
 * What shows that a server answers as it should: for a model of the project the rows that its training recorded, for one
 * that others have logged the example of its input.
 *
 * @param files folder of the model's files.
 * @param uncompared whether what its own libraries answer does not count.
 * @returns asks the server, and says what that has shown.
 */
export function proofOf(model: Servable, environment: Environment, files: string, uncompared = false): Proof {
  if (!isTrainedHere(model)) return (server) => askExample(server, environment, files, uncompared);
  const record = readParityRecord(files);
  return async (server) => {
    await checkParity(localClient(server), record);
    return "answers as at its training";
  };
}

/** The check that a pod of the same server runs at its start. */
async function askExample(
  { name, rest, log }: LocalModel,
  environment: Environment,
  files: string,
  uncompared: boolean,
): Promise<string> {
  const { file, args, env } = environment.module("startup check", log, ["standardserver.startup"], {
    MLSERVER_HTTP_PORT: String(rest),
    MLSERVER_MODEL_NAME: name,
    MLSERVER_MODEL_URI: files,
    ...(uncompared ? { [answersVariable]: "ignored" } : {}),
  });
  try {
    const { stdout } = await execute(file, args, { ...(env && { env }) });
    return `serves: ${stdout.trim()}`;
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as Error & { stdout?: string; stderr?: string };
    const said = [stdout.trim(), stderr.trim().split("\n").at(-1), message].find(Boolean);
    throw new UserError(`model server ${name}: it is not put into service: ${String(said)}`);
  }
}
