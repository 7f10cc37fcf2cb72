/** Watches a version that has just been deployed: it has come into service when it goes on answering right. */
import { setTimeout as sleep } from "node:timers/promises";

import type { Cluster } from "../../cluster/cluster";
import { clientThrough, patiently } from "../../deploy/answers";
import type { Question } from "../../deploy/question";
import { UserError } from "../../errors";
import { compareWithRecord, recordedRows } from "../../parity";
import type { Step } from "../../progress";
import type { ModelClient } from "../../protocols/answer";
import { backend } from "../../serving/backend";
import type { ServedModel, ServedPredictor } from "../../serving/served";

/** What is watched, and how long. */
export interface Watched {
  readonly cluster: Cluster;
  /** Names of the models that are to serve the version. */
  readonly models: readonly string[];
  /** Where its files lie. */
  readonly files: string;
  /** What it can be asked. */
  readonly question: Exclude<Question, { kind: "none" }>;
  /** @default as long as users would need to notice */
  readonly pace?: Pace;
}

/** How long in milliseconds. */
export interface Pace {
  /** It is asked. */
  readonly watching: number;
  /** It rests between two questions. */
  readonly pause: number;
  /** A pod of the version before may still answer, on its way out. */
  readonly grace: number;
  /** Such pods may take to go where the cluster tells of them. */
  readonly patience: number;
}

const usualPace: Pace = { watching: 10_000, pause: 250, grace: 15_000, patience: 120_000 };

type Serving = readonly [ServedModel, ServedPredictor];

/**
 * Asks a version through its Services, again and again: every answer has to be its own, by the rows that were recorded at
 * its training. Of one without such rows its input example has to be answered.
 *
 * @throws UserError it does not serve, or one answer is another version's, or none.
 */
export async function watch(watched: Watched, step: Step, signal: AbortSignal): Promise<void> {
  const clients = (await settled(watched, step, signal)).map(([model, predictor]) =>
    clientThrough(watched.cluster, model, predictor),
  );
  await watchClients(clients, watched, step, signal);
}

/** The same by clients of it, where no other version can answer for long. @throws UserError as {@link watch} does */
export async function watchClients(
  clients: readonly ModelClient[],
  { question, pace = usualPace }: Pick<Watched, "pace" | "question">,
  step: Step,
  signal: AbortSignal,
): Promise<void> {
  const { pause, watching, grace } = pace;
  const late = Date.now() + grace;
  let since = Date.now();
  let right = 0;
  do {
    signal.throwIfAborted();
    const wrong = await Promise.all(clients.map((client) => answerOf(client, question)));
    const problem = wrong.find((one) => one !== undefined);
    if (problem !== undefined && Date.now() >= late) throw problem;
    if (problem !== undefined) since = Date.now();
    right = problem === undefined ? right + clients.length : 0;
    step.detail(right === 0 ? "another version answers still" : `${right} answers, each of them right`);
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  } while (Date.now() < since + watching || right === 0);
  signal.throwIfAborted();
}

/** What serves the version, as soon as no pod of the one before is left that could answer in its place. */
async function settled(watched: Watched, step: Step, signal: AbortSignal): Promise<readonly Serving[]> {
  const { pause, patience } = watched.pace ?? usualPace;
  const deadline = Date.now() + patience;
  for (;;) {
    signal.throwIfAborted();
    const serving = await servingOf(watched);
    const open = serving.find(([, { ready, wanted, former }]) => ready < wanted || former > 0);
    if (open === undefined && serving.length > 0) return serving;
    if (open === undefined)
      throw new UserError(`nothing serves ${watched.files}: no pods are wanted of it. See: npm run status`);
    const [{ name }, { ready, wanted, former }] = open;
    const state = `${name} has ${ready}/${wanted} pods ready, and ${former} of the version before`;
    if (Date.now() > deadline) throw new UserError(`${state}. See: npm run status`);
    step.detail(state);
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
}

async function servingOf({ cluster, models, files }: Watched): Promise<readonly Serving[]> {
  return (await backend.models(cluster)).flatMap((model) =>
    models.includes(model.name)
      ? model.predictors
          .filter(({ modelUri, wanted }) => modelUri === files && wanted > 0)
          .map((predictor): Serving => [model, predictor])
      : [],
  );
}

/** Asks once. @returns what is wrong with the answer @throws UserError there is none */
async function answerOf(client: ModelClient, question: Watched["question"]): Promise<UserError | undefined> {
  if (question.kind === "example") {
    await patiently(() => client.ask(question.rows));
    return undefined;
  }
  const { record } = question;
  const answer = await patiently(() => client.ask(recordedRows(record)));
  try {
    compareWithRecord(answer, record);
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

/** Whether the cluster is told to serve files, or what was told cannot be known. */
export async function mayServe(cluster: Cluster, files: string): Promise<boolean> {
  try {
    const models = await backend.models(cluster);
    return models.some(({ predictors }) => predictors.some(({ modelUri }) => modelUri === files));
  } catch {
    return true;
  }
}
