/**
 * What the registry is told of service, as tags of its versions: whoever looks at a model in MLflow sees where it serves,
 * since when, and what it took the place of.
 */
import type { Decision } from "../../../config/lock";
import type { MlflowClient, ModelVersion } from "../../mlflow";
import { scoresOf } from "../difference";
import { keepFiles } from "../firstFiles";
import { type Signed, signed } from "../signed";

/** While a version serves in a stack: since when. */
export const servesTag = (stack: string) => `serves.${stack}`;
/** How a version came into service of a stack last; it stays when another one takes its place. */
export const promotedTag = (stack: string) => `promoted.${stack}`;
/** That a version was left for the one before it. */
export const rolledBackTag = (stack: string) => `rolled-back.${stack}`;

/** What a stack serves of a registered model. */
export interface Service {
  readonly stack: string;
  /** All that was decided of the model, whatever it is called in the stack. */
  readonly decisions: readonly Decision[];
  /** Which version was just left for which. @default what the tags tell */
  readonly moved?: { readonly from: number; readonly to: number };
  /** The version that somebody has chosen by its name, and not a training or a lock. @default none */
  readonly chosen?: number;
}

/** A version that has come into service. */
export interface Begun {
  readonly version: ModelVersion;
  /** The one that served before; undefined if none is known. */
  readonly from: ModelVersion | undefined;
  /** Whether it is the one that {@link from} had taken the place of. */
  readonly back: boolean;
  /** Whether somebody has chosen it, and not a training or a lock alone. */
  readonly chosen: boolean;
}

/** What of a registered model has come into service of a stack, and what has gone. */
export interface Turnover {
  readonly begun: readonly Begun[];
  readonly ended: readonly ModelVersion[];
}

/** Compares what serves with what the tags tell. */
export function turnoverOf(
  versions: readonly ModelVersion[],
  { stack, decisions, moved, chosen }: Service,
): Turnover {
  const serves = new Set(decisions.map(({ version }) => String(version)));
  const numbered = (number: number | undefined) => versions.find(({ version }) => version === String(number));
  const ended = servingIn(versions, stack).filter(({ version }) => !serves.has(version));
  const begun = versions.flatMap((version): Begun[] => {
    if (!serves.has(version.version)) return [];
    const told = moved?.to === Number(version.version) ? numbered(moved.from) : undefined;
    const from = told ?? ended[0];
    const known = servesTag(stack) in version.tags;
    // What served already, under another name of the stack, may have taken the place of another one all the same.
    if (known && (told === undefined || promotionOf(version, stack)?.from === Number(told.version)))
      return [];
    const back = from !== undefined && promotionOf(from, stack)?.from === Number(version.version);
    return [{ version, from, back, chosen: chosen === Number(version.version) }];
  });
  return { begun, ended };
}

/** The versions that serve in a stack by what the tags tell, the latest first. */
export function servingIn(versions: readonly ModelVersion[], stack: string): ModelVersion[] {
  const since = ({ tags }: ModelVersion) => tags[servesTag(stack)];
  return versions
    .filter((version) => since(version) !== undefined)
    .sort((one, other) => ((since(one) ?? "") < (since(other) ?? "") ? 1 : -1));
}

/** What is known of how a version came into service; undefined if nothing is. People may write tags too, of any kind. */
export function promotionOf(
  { tags, version }: ModelVersion,
  stack: string,
): { readonly from: number | null; readonly chosen: boolean } | undefined {
  try {
    const { from, chosen } = JSON.parse(tags[promotedTag(stack)] ?? "") as {
      from?: unknown;
      chosen?: unknown;
    };
    const isKnown = Number.isSafeInteger(from) && Number(from) > 0 && String(from) !== version;
    return { from: isKnown ? Number(from) : null, chosen: chosen === true };
  } catch {
    // There is none, or somebody has written something else there.
    return undefined;
  }
}

/**
 * Writes down what serves in a stack of a registered model. Of what is there already nothing is written: the day since
 * when a version serves stays, and whoever was stopped here is finished by the next one.
 *
 * @returns what has come and gone.
 * @throws UserError MLflow does not answer, or refuses.
 */
export async function record(mlflow: MlflowClient, name: string, service: Service): Promise<Turnover> {
  const turnover = turnoverOf(await mlflow.versionsOf(name), service);
  const { stack } = service;
  const mark = signed();
  for (const begun of turnover.begun) {
    const decision = service.decisions.find(({ version }) => String(version) === begun.version.version);
    await keepFiles(mlflow, begun.version, decision?.sha256);
    await writeBegun(mlflow, stack, { ...begun, mark, decision });
  }
  // Last: by them whoever goes on knows what served before.
  for (const version of turnover.ended) await mlflow.deleteTag(version, servesTag(stack));
  return turnover;
}

async function writeBegun(
  mlflow: MlflowClient,
  stack: string,
  {
    version,
    from,
    back,
    chosen,
    mark,
    decision,
  }: Begun & { readonly mark: Signed; readonly decision: Decision | undefined },
): Promise<void> {
  if (back && from !== undefined) {
    // What it had taken the place of itself stays known, so that going back twice goes back two versions.
    const left = { ...mark, to: Number(version.version) };
    await mlflow.setTag(from, rolledBackTag(stack), JSON.stringify(left));
  } else {
    const scores = decision === undefined ? {} : scoresOf(decision);
    const before = from === undefined ? null : Number(from.version);
    const told = { ...mark, from: before, ...(chosen ? { chosen } : {}), scores };
    await mlflow.setTag(version, promotedTag(stack), JSON.stringify(told));
  }
  if (rolledBackTag(stack) in version.tags) await mlflow.deleteTag(version, rolledBackTag(stack));
  if (!(servesTag(stack) in version.tags)) await mlflow.setTag(version, servesTag(stack), mark.at);
}
