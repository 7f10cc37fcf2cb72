import colors from "picocolors";

import { type ServicePort, frontendService } from "../cluster/services";
import { commandLine } from "../commandLine";
import { versionInWords } from "../serving/version";
import { plainCommands } from "../engine/backend";
import { settingsFile } from "../engine/settings";
import type { Progress } from "../progress";
import { outputs } from "../protocols/answer";
import { protocolClients } from "../protocols/protocols";
import { answerTable } from "../table";
import type { ClusterTarget } from "../target";
import type { AnsweringModel, UncheckedModel } from "./answers";
import { told } from "./changes";
import type { Deployed } from "./up";

/** What is in service. */
export interface InService {
  readonly answers: readonly (AnsweringModel | UncheckedModel)[];
  /** Whether there is the page on which people ask the models. */
  readonly frontend: boolean;
}

/** Shows what is in service, what to open, and what it took. */
export function summarise(
  target: ClusterTarget,
  { stack, changes }: Deployed,
  { answers: asked, frontend }: InService,
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
    models: asked.map((one) => ({
      name: one.model.name,
      predictor: one.predictor.name,
      version: one.version ?? null,
      hash: one.predictor.version,
      url: inCluster(one),
      ...("notChecked" in one
        ? { notChecked: one.notChecked }
        : {
            prediction: { row: one.row, value: outputs(one.answer)[0]?.[0] },
            checkedRows: one.checkedRows,
          }),
    })),
    ...(frontend ? { frontend: inside(frontendService) } : {}),
    plain,
  });
  const type = (command: string, ...words: string[]) => commandLine(command, target.stack, ...words);
  const shownAnswers = asked.map((one) => {
    const who = [colors.bold(one.model.name), versionInWords(one.version, one.predictor)].join(" ").trimEnd();
    const what =
      "notChecked" in one
        ? `is not checked: ${one.notChecked}`
        : `answers for ${JSON.stringify(one.row)}:\n\n${answerTable(one.answer)}`;
    return `${who}, predictor ${one.predictor.name}, ${what}\n\n  in the cluster   ${inCluster(one)}\n`;
  });
  progress.say(`
${shownAnswers.join("\n")}
${frontend ? `  ask the models on a page             ${type("open", "frontend")}\n  its address in the cluster           ${inside(frontendService)}\n` : ""}\
  MLflow, MinIO, models in a browser   ${type("open")}
  ask the model                        ${type("predict")}
  what runs, and its health            ${type("status")}
  remove it                            ${type("down")}
  the same stack with plain Pulumi     ${plain.join("\n                                       ")}

  Up after ${seconds.toFixed(1)} s: ${told(changes)}.`);
}

/** Of one version the address of the model, which stays when there are several. */
function inCluster({ model, predictor }: Pick<AnsweringModel, "model" | "predictor">): string {
  const { address } = predictor;
  const own = model.predictors.length === 1 ? { ...address, service: model.name } : address;
  return `${inside(own)}${protocolClients[model.protocol].predictions(predictor)}`;
}

function inside({ namespace, service, port }: ServicePort): string {
  return `http://${service}.${namespace}.svc.cluster.local:${port}`;
}
