import type { Decision } from "../../../config/lock";
import { registryName } from "../../../config/registryNames";
import type { MlflowClient, ModelVersion } from "../../mlflow";
import type { Turnover } from "./record";

/** The alias of a version that has not been good enough, by the comparison at its training. */
export const challenger = "challenger";

/** An alias, and the version that it is to stand for. */
export interface Pointing {
  /** Name of the registered model. */
  readonly registered: string;
  readonly alias: string;
  readonly version: string;
  /** What the stack calls models: an alias among them has to stand for something. */
  readonly wishes: ReadonlySet<string>;
}

/** Has an alias stand for a version, which then challenges nobody any more. @throws UserError MLflow refuses. */
export async function point(
  mlflow: MlflowClient,
  { registered, alias, version, wishes }: Pointing,
): Promise<void> {
  const aliasesNow = async () => (await mlflow.registered(registered))?.aliases ?? {};
  if ((await aliasesNow())[alias] !== version) await mlflow.setAlias(registered, alias, version);
  const wanted = alias === challenger || wishes.has(`models:/${registered}@${challenger}`);
  if (!wanted && (await aliasesNow())[challenger] === version)
    await mlflow.deleteAlias(registered, challenger);
}

/**
 * Has the aliases that a stack names follow what was deployed: a version that was decided on elsewhere, and has come with
 * the lock. Where the registry has moved on since, it is left.
 *
 * @param decisions by their names in the stack, all of one registered model.
 * @returns what was left, in sentences.
 */
export async function follow(
  mlflow: MlflowClient,
  decisions: ReadonlyMap<string, Decision>,
  { begun }: Turnover,
  versions: readonly ModelVersion[],
): Promise<string[]> {
  const left: string[] = [];
  for (const [wish, { version: number, decided }] of decisions) {
    const { model: registered, alias } = registryName(wish) ?? {};
    const version = String(number);
    const change = begun.find((one) => one.version.version === version);
    // Of what serves for the first time as far as is known, nobody has taken the place of anything.
    if (registered === undefined || alias === undefined || change?.from === undefined) continue;
    const now = (await mlflow.registered(registered))?.aliases[alias];
    const holder = versions.find((one) => one.version === now);
    const isNewer = (holder?.registered ?? "") > decided.at;
    if (holder !== undefined && isNewer && holder.version !== version && holder !== change.from) {
      left.push(
        `${wish} stays version ${holder.version}, which was registered after version ${version} was decided on.`,
      );
      continue;
    }
    await point(mlflow, { registered, alias, version, wishes: new Set(decisions.keys()) });
  }
  return left;
}
