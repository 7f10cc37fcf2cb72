import colors from "picocolors";

import { plainCommands } from "../engine/backend";
import { settingsFile } from "../engine/settings";
import type { Progress } from "../progress";
import { firstOutputs, predictionsPath } from "../seldon";
import { answerTable } from "../table";
import type { ClusterTarget } from "../target";
import type { AnsweringModel } from "./answers";
import { told } from "./changes";
import type { Deployed } from "./up";

/** Shows what is in service, what to open, and what it took. */
export function summarise(
  target: ClusterTarget,
  { stack, changes }: Deployed,
  answers: readonly AnsweringModel[],
  seconds: number,
  progress: Progress,
): void {
  const plain = plainCommands(target.stack, stack.backend, settingsFile(target.stack));
  progress.event({
    event: "up",
    target: "cluster",
    stack: target.stack,
    context: target.context.name,
    seconds,
    changes,
    models: answers.map(({ model, predictor, row, answer, checkedRows }) => ({
      name: model.name,
      predictor: predictor.name,
      version: predictor.version,
      url: inCluster(predictor),
      prediction: { row, value: firstOutputs(answer)[0] },
      checkedRows,
    })),
    plain,
  });
  const again = target.stack === "dev" ? "" : ` -- --stack ${target.stack}`;
  const shownAnswers = answers.map(
    ({ model, predictor, row, answer }) =>
      `${colors.bold(model.name)}, predictor ${predictor.name}, answers for ${JSON.stringify(row)}:\n\n` +
      `${answerTable(answer)}\n\n  in the cluster   ${inCluster(predictor)}\n`,
  );
  progress.say(`
${shownAnswers.join("\n")}
  MLflow, MinIO, models in a browser   npm run open${again}
  ask the model                        npm run predict${again}
  what runs, and its health            npm run status${again}
  remove it                            npm run down${again}
  the same stack with plain Pulumi     ${plain.join("\n                                       ")}

  Up after ${seconds.toFixed(1)} s: ${told(changes)}.`);
}

function inCluster({ address: { namespace, service, port } }: AnsweringModel["predictor"]): string {
  return `http://${service}.${namespace}.svc.cluster.local:${port}${predictionsPath}`;
}
