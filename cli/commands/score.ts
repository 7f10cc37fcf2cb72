import * as z from "zod";

import { answersVariable } from "../../config/answers";
import { manifests } from "../../config/manifests";
import { listed, nearest } from "../../config/words";
import { UserError } from "../errors";
import { onInterruption, stopMilliseconds } from "../interruption";
import { trainingEnvironment } from "../lockFiles";
import { localDir, readState } from "../local/state";
import { fetchVersion } from "../local/versionFiles";
import { lookAt, scoringEnvironmentOf } from "../local/registered";
import { MlflowClient } from "../mlflow";
import { shown, typed } from "../paths";
import { localHost } from "../ports";
import { killRunning, run } from "../process";
import { Progress } from "../progress";
import { Environments } from "../python";

/** Options of `npm run score`. */
export interface ScoreOptions {
  /** The table. */
  readonly input: string;
  /** The file for its scores. */
  readonly output: string;
  readonly json?: boolean;
}

const manifestShape = z.looseObject({
  scored: z.looseObject({ rows: z.number() }),
  rejected: z.looseObject({ rows: z.number() }),
  unused_columns: z.array(z.string()),
});

/**
 * `npm run score`: predictions of all rows of a table, by the version of a model that is in service on this machine.
 *
 * It runs beside the server, and asks it nothing. Whoever ends it goes on where it was by the same command.
 *
 * @throws UserError the model does not run here, or the table cannot be scored.
 */
export async function score(name: string, { input, output, json = false }: ScoreOptions): Promise<void> {
  const elsewhere = [input, output].find((place) => /^[a-z0-9]+:\/\//i.test(place));
  if (elsewhere !== undefined)
    throw new UserError(
      `${elsewhere} is no file of this machine. Tables in a bucket are scored where the models are, in a cluster: ` +
        "mlplatform:batch in the stack's file, as docs/batch.md says.",
    );
  const [from, to] = [typed(input), typed(output)];
  const manifest = manifests.find((one) => one.name === name);
  const { models = {}, mlflow } = readState();
  const served = models[name];
  if (manifest === undefined && served === undefined) throw notHere(name, Object.keys(models));
  if (served === undefined || mlflow === undefined)
    throw new UserError(
      `${name} does not run on this machine, so that no version of it is in service: npm run up -- --models ${name} --detach`,
    );
  const progress = Progress.for({ json });
  const interruption = onInterruption(killRunning);
  interruption.within(stopMilliseconds);
  const { signal } = interruption;
  try {
    const client = new MlflowClient(`http://${localHost}:${mlflow.port}`);
    const version = await client.version(name, served.version);
    if (version === undefined)
      throw new UserError(`MLflow has no version ${served.version} of ${name} any more.`);
    const python = await progress.step("Python environment", async (step) => {
      const environments = new Environments(signal);
      if (manifest !== undefined) return environments.ensure(trainingEnvironment(manifest), step);
      // It serves here, so that its code, if it has such, was allowed when it came up.
      return scoringEnvironmentOf(await lookAt(client, version, [name]), environments, step);
    });
    const told = await progress.step(`scores by ${name} version ${served.version}`, async (step) => {
      const files = await fetchVersion(version, client, step);
      const args = [
        ...(manifest === undefined ? [] : [manifest.folder]),
        ...["--files", files, "--name", name, "--version", served.version],
        ...["--input", from, "--output", to],
      ];
      const command = python.module(
        `scoring ${input}`,
        localDir("logs", `score-${name}.log`),
        ["batch", ...args],
        served.uncompared === true ? { [answersVariable]: "ignored" } : {},
      );
      const said = manifestShape.parse(
        JSON.parse(
          await run(command, signal, (line) => {
            step.detail(line);
          }),
        ),
      );
      step.detail(`${count(said.scored.rows)} scored`);
      return said;
    });
    progress.event({ event: "scored", output: to, ...told });
    progress.say(summary(told, to));
  } finally {
    progress.stop();
    interruption.dispose();
  }
}

function summary(
  { scored, rejected, unused_columns: unused }: z.infer<typeof manifestShape>,
  to: string,
): string {
  const file = shown(to);
  const lines = [
    `${count(scored.rows)} scored: ${file}`,
    ...(rejected.rows === 0
      ? []
      : [`${count(rejected.rows)} rejected, each with its reason: ${file}.rejected.jsonl`]),
    ...(unused.length === 0 ? [] : [`Columns that the model does not take: ${listed(unused)}`]),
    `What the scores are of: ${file}.manifest.json`,
  ];
  return `\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

const count = (rows: number) => `${rows.toLocaleString("en-US")} row${rows === 1 ? "" : "s"}`;

function notHere(name: string, running: readonly string[]): UserError {
  const names = [...new Set([...manifests.map((one) => one.name), ...running])];
  const near = nearest(name, names);
  return new UserError(
    `${name} does not run on this machine${near === undefined ? "." : `; did you mean ${near}?`} The project has ` +
      `${listed(manifests.map((one) => one.name))}. One that others have registered with its MLflow scores here once it ` +
      `serves here: npm run up -- --models ${name} --detach`,
  );
}
