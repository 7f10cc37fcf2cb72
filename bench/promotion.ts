import type { Cluster } from "../cli/cluster/cluster";
import { type Moved, moveUnderLoad } from "../test/e2e/moving";
import { Served } from "../test/e2e/served";
import { modelName } from "../test/e2e/testStack";
import type { BenchResult, Figures } from "./main";
import { type Run, onStack } from "./onStack";

/** A model of each kind of server, and how its second version is trained. */
const models = {
  "house-price": { "n-estimators": 150, "max-depth": 8 },
  "wine-quality-xgboost": { "n-estimators": 200 },
} as const;

/** How the project's own server is tried on a share of its requests before it is promoted. */
const trial = { canary: { steps: [], minutes: 0.5, requests: 50 } };

/** From the command to the last answer of the version before. */
const mostSeconds = 30;

/**
 * Promotion and rollback of a model on the project's own server and of one on MLServer, and a promotion by a trial, while four clients ask it
 * steadily, against an `npm run up` that changes nothing. On the current context's cluster, which must be empty and is
 * emptied again. `E2E_CONFIG` as for `npm run test:e2e`.
 *
 * @param say is told what is being done.
 * @throws UserError a tool or an image is missing, or the cluster is not empty.
 */
export async function promotion(say: (line: string) => void): Promise<BenchResult> {
  return onStack(say, async ({ cluster, stack, run }) => {
    for (const parameters of [{}, models]) {
      say("npm run up, with two versions of each model in the end");
      stack.write(parameters, stack.models(parameters, trial));
      await run("up");
    }
    const unchanged = await seconds(() => run("up"));
    const moves: Move[] = [];
    for (const name of Object.keys(models)) moves.push(...(await movesOf(cluster, name, run, say)));
    moves.push(await canaryOf(cluster, modelName, run, say));
    return report(unchanged, moves);
  });
}

interface Move {
  readonly model: string;
  readonly command: "canary" | "promote" | "rollback";
  readonly moved: Moved;
  /** How long the command took. */
  readonly seconds: number;
}

/** Returns to the version before, and has the one that served until then come back by a trial. */
async function canaryOf(
  cluster: Cluster,
  model: string,
  run: Run,
  say: (line: string) => void,
): Promise<Move> {
  const served = new Served(cluster, model);
  const champion = await served.champion();
  await run("rollback", model);
  say(`npm run promote -- ${model} ${champion} --canary 20`);
  let took = 0;
  const moved = await moveUnderLoad(cluster, served, async () => {
    took = await seconds(() => run("promote", model, champion, "--canary", "20"));
  });
  await served.checkAnswers();
  return { model, command: "canary", moved, seconds: took };
}

/** Goes to the other one of a model's two versions, and back. */
async function movesOf(
  cluster: Cluster,
  model: string,
  run: Run,
  say: (line: string) => void,
): Promise<Move[]> {
  const served = new Served(cluster, model);
  const promote = ["promote", [model, "2"]] as const;
  const rollback = ["rollback", [model]] as const;
  // A training whose version was not good enough has left the first one in service.
  const order = (await served.champion()) === "2" ? [rollback, promote] : [promote, rollback];
  const moves: Move[] = [];
  for (const [command, words] of order) {
    say(`npm run ${command} -- ${words.join(" ")}`);
    let took = 0;
    const moved = await moveUnderLoad(cluster, served, async () => {
      took = await seconds(() => run(command, ...words));
    });
    await served.checkAnswers();
    moves.push({ model, command, moved, seconds: took });
  }
  return moves;
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

function report(unchanged: number, moves: readonly Move[]): BenchResult {
  const rows = moves.map(({ model, command, moved: { sent, failed, first, last }, seconds: took }) => [
    `${command} ${model}`,
    ...[sent, lost(failed)].map(String),
    ...[first, last, took].map((value) => value.toFixed(1)),
    (took / unchanged).toFixed(2),
  ]);
  const figures: Figures = Object.fromEntries([
    ["up_unchanged_s", unchanged],
    ...moves.flatMap(({ model, command, moved, seconds: took }): [string, number][] => {
      const name = `${command}_${model.replaceAll("-", "_")}`;
      return [
        [`${name}_sent`, moved.sent],
        [`${name}_failed`, lost(moved.failed)],
        [`${name}_first_s`, moved.first],
        [`${name}_last_s`, moved.last],
        [`${name}_s`, took],
        [`${name}_to_up_unchanged`, took / unchanged],
      ];
    }),
  ]);
  const wrong = moves.flatMap(({ model, command, moved: { failed, first, last } }) => [
    ...(lost(failed) === 0 ? [] : [`${command} ${model} lost requests: ${JSON.stringify(failed)}`]),
    // Of a trial both are meant to answer.
    ...(last - first <= mostSeconds || command === "canary"
      ? []
      : [`${command} ${model}: both versions answered for ${(last - first).toFixed(0)} s`]),
  ]);
  return {
    head: [
      "command",
      "sent",
      "failed",
      "first new answer, s",
      "last old answer, s",
      "command, s",
      "to an up without change",
    ],
    rows: [["up, nothing to change", "", "", "", "", unchanged.toFixed(1), "1.00"], ...rows],
    figures,
    ...(wrong.length === 0 ? {} : { problem: wrong.join("; ") }),
  };
}

function lost(failed: Moved["failed"]): number {
  return Object.values(failed).reduce((sum, count) => sum + count, 0);
}
