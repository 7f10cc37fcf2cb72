/** Tables that are scored by models that others have logged: what that takes of a version. */
import type { BatchTable } from "../components/batch/schema";
import { servedOf } from "./decisionChecks";
import type { Decision } from "./lock";
import { trainedBy } from "./manifests";
import { codeOf } from "./misfits";
import { unequipped, unloadable } from "./mlflowServer";
import type { Mistake } from "./mistakes";
import type { ModelConfig } from "./models";

type Decided = Omit<Decision, "decided">;

/** Models and tables of a stack; those that are wrong themselves are undefined. */
export interface Scoring {
  readonly models?: readonly (ModelConfig | undefined)[] | undefined;
  readonly batch?: readonly (BatchTable | undefined)[] | undefined;
}

/** Whether the project trains a model, so that the image of its training scores tables by it. */
export function scoresByTraining({ training }: ModelConfig): boolean {
  return trainedBy(training?.image) !== undefined;
}

/** The models of others by which tables are scored, each with the place of the first of these. */
export function othersScoring({ models = [], batch = [] }: Scoring): { model: ModelConfig; index: number }[] {
  return models.flatMap((model) => {
    if (model === undefined || scoresByTraining(model)) return [];
    const index = batch.findIndex((table) => table?.model === model.name);
    return index < 0 ? [] : [{ model, index }];
  });
}

/** Whether tables are scored by what a name of the registry stands for, with packages that are found for it. */
export function isScoredBy(wish: string, stack: Scoring): boolean {
  return othersScoring(stack).some(({ model }) => servedOf(model) === wish);
}

/** Why no table is scored by a version that others have logged, to be read behind its name; nothing if one can be. */
export function unscorable({ allowCode }: ModelConfig, decision: Decided): string[] {
  const problems = [
    ...unloadable(decision),
    // Whatever its server reads of it: here Python loads it.
    ...(allowCode ? [] : codeOf(decision)),
    ...ofLists(decision),
  ];
  return problems.map((problem) => `version ${decision.version}${problem}`);
}

/** The same, and that nobody has looked for the packages. */
export function checkScoring(stack: Scoring, decisions: Readonly<Record<string, Decision>>): Mistake[] {
  return othersScoring(stack).flatMap(({ model, index }) => {
    const wish = servedOf(model) ?? "";
    const decision = decisions[wish];
    if (decision === undefined) return [];
    const unknown = unequipped(decision, "scoring").map((problem) => `version ${decision.version}${problem}`);
    return [...unscorable(model, decision), ...unknown].map((problem) => ({
      path: ["batch", index, "model"],
      message: `is "${model.name}", which is ${wish}, ${problem}`,
    }));
  });
}

/** A cell holds one value. */
function ofLists({ signature }: Decided): string[] {
  const columns = columnsOf(signature?.inputs);
  const odd = columns.find(({ type }) => /^(array|object|map|any|sparse_vector)$/i.test(String(type)));
  return odd === undefined
    ? []
    : [`, which takes lists or objects in a column (${String(odd.name)}), and no cell of a table holds such`];
}

interface LoggedColumn {
  readonly name?: unknown;
  readonly type?: unknown;
}

function columnsOf(inputs: string | undefined): readonly LoggedColumn[] {
  try {
    const columns: unknown = JSON.parse(inputs ?? "[]");
    return Array.isArray(columns) ? columns.filter(isColumn) : [];
  } catch {
    return [];
  }
}

function isColumn(one: unknown): one is LoggedColumn {
  return typeof one === "object" && one !== null;
}
