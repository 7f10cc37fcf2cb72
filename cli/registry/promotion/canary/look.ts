/** What there is to see of a version that is tried: what the splitter has counted, and how answers differ. */
import { canaryPredictor } from "../../../../config/canary";
import { mainPredictor } from "../../../../components/serving/splitter/splits";
import { namespaceNames } from "../../../../components/capabilities";
import { commandLine } from "../../../commandLine";
import { clientThrough } from "../../../deploy/answers";
import { questionFor } from "../../../deploy/question";
import { recordedRows } from "../../../parity";
import { type Answer, type Rows, outputs } from "../../../protocols/answer";
import { backend } from "../../../serving/backend";
import type { ServedModel } from "../../../serving/served";
import { Overtaken } from "../meanwhile";
import type { Moving } from "../moving";
import { countsOf, splitterTexts } from "./counts";
import type { Seen } from "./rule";

/** Looks once. @throws Error the cluster, or the splitter, cannot be asked. */
export async function lookAt(moving: Moving): Promise<Seen> {
  const { what, target } = moving.scene;
  const texts = await splitterTexts(target.cluster, namespaceNames.models, what.model.name);
  if (texts.length === 0) throw new Error("no pod of its splitter is there to be asked");
  // Somebody else may try another one meanwhile, of which the counts are then.
  const model = (await backend.models(target.cluster)).find(({ name }) => name === what.model.name);
  const tried = model?.predictors.find(({ name }) => name === canaryPredictor);
  if (tried?.modelUri !== moving.to.files)
    throw new Overtaken(
      `version ${moving.to.version} of ${what.model.name} is not what is tried in the cluster now. Nothing more was changed. ` +
        `What serves: ${commandLine("status", what.stack)}`,
    );
  return {
    main: countsOf(texts, mainPredictor),
    canary: countsOf(texts, canaryPredictor),
    difference: await differenceOf(moving, model).catch(() => undefined),
  };
}

/** How far both answer the rows of the training apart; undefined where there are none, or the answers are no numbers. */
async function differenceOf(
  { scene, to }: Moving,
  model: ServedModel | undefined,
): Promise<number | undefined> {
  const { cluster } = scene.target;
  const question = await questionFor(cluster, { modelUri: to.files });
  if (question.kind === "none") return undefined;
  const rows: Rows = question.kind === "training" ? recordedRows(question.record) : question.rows;
  const ask = (name: string) => {
    const predictor = model?.predictors.find((one) => one.name === name);
    if (model === undefined || predictor === undefined) throw new Error(`${name} is not in service`);
    return clientThrough(cluster, model, predictor).ask(rows);
  };
  return apart(...(await Promise.all([ask(mainPredictor), ask(canaryPredictor)])));
}

/** The mean distance of the numbers of two answers, relative to the mean size of the first ones. */
export function apart(one: Answer, other: Answer): number | undefined {
  const [first, second] = [outputs(one).flat(), outputs(other).flat()];
  if (first.length === 0 || first.length !== second.length) return undefined;
  let [distance, size] = [0, 0];
  for (const [index, value] of first.entries()) {
    const its = second[index];
    if (typeof value !== "number" || typeof its !== "number") return undefined;
    distance += Math.abs(value - its);
    size += Math.abs(value);
  }
  return size === 0 ? (distance === 0 ? 0 : undefined) : distance / size;
}
