/** Which model of a stack, and which version of it, is to be put into service. */
import type { PlatformConfig } from "../../../config";
import { servedOf, wishesOf } from "../../../config/decisionChecks";
import { lockFile } from "../../../config/lock";
import type { ModelConfig } from "../../../config/models";
import { registryName, registryScheme } from "../../../config/registryNames";
import { knownInstead, listed } from "../../../config/words";
import { commandLine } from "../../commandLine";
import { UserError } from "../../errors";
import type { ModelVersion } from "../../mlflow";
import type { Registry } from "../decide";
import { scores } from "../difference";

/** A model of a stack whose version is decided by an alias of the registry. */
export interface Promotable {
  readonly stack: string;
  readonly config: PlatformConfig;
  /** The stack's lock. */
  readonly file: string;
  readonly model: ModelConfig;
  /** Its name in the registry: `models:/churn@champion`. */
  readonly wish: string;
  /** Name of the registered model. */
  readonly registered: string;
  readonly alias: string;
}

/** The model of a name in a stack. @throws UserError there is none, or the stack's file says which version it is. */
export function promotable(stack: string, config: PlatformConfig, name: string): Promotable {
  const model = config.models.find((one) => one.name === name);
  if (model === undefined) {
    const names = config.models.map((one) => one.name);
    throw new UserError(`stack ${stack} has no model ${name}; ${knownInstead(name, names)}`);
  }
  // Predictors may have names of their own, and all of them may.
  const wish = wishesOf(model).find((one) => one === servedOf(model));
  const found = wish === undefined ? undefined : registryName(wish);
  if (wish === undefined || found?.alias === undefined) throw new UserError(fixed(stack, model, wish));
  const file = lockFile(stack, config.environment);
  return { stack, config, file, model, wish, registered: found.model, alias: found.alias };
}

/** Why no command decides which version a model is. */
function fixed(stack: string, model: ModelConfig, wish: string | undefined): string {
  const where = `Pulumi.${stack}.yaml`;
  const { name, predictors } = model;
  if (model.graph !== undefined)
    return (
      `model ${name} is a graph, and not one version: promote what its nodes name by an entry of its own, which the graph ` +
      `follows, or have the registry asked anew: ${commandLine("models", stack, "update", name)}`
    );
  if (wish === undefined && servedOf(model)?.startsWith(registryScheme) === true)
    return `each of ${listed((predictors ?? []).map((one) => one.name))} of model ${name} names what it serves in ${where}: change it there.`;
  if (wish === undefined)
    return (
      `model ${name} serves ${servedOf(model) ?? "what is in its image"}, which is no version of the registry. To have versions ` +
      `of it promoted, write model: models:/NAME@champion in ${where}.`
    );
  const registered = registryName(wish)?.model ?? "NAME";
  return (
    `model ${name} serves ${wish}, that version for good. To serve another, write its number there in ${where}; to ` +
    `have versions promoted, write model: models:/${registered}@champion.`
  );
}

/** The versions of a registered model, and its aliases. */
export interface Versions {
  /** The newest first. */
  readonly all: readonly ModelVersion[];
  readonly aliases: Readonly<Record<string, string>>;
}

/** A model by its names, as messages have it. */
export interface Named extends Pick<Promotable, "registered" | "stack" | "wish"> {
  readonly model: Pick<ModelConfig, "name">;
}

/** Asks the registry for them. @throws UserError there is no such model. */
export async function versionsOf(
  { mlflow }: Pick<Registry, "mlflow">,
  { registered, wish, stack, model }: Named,
): Promise<Versions> {
  const [found, all] = await Promise.all([mlflow.registered(registered), mlflow.versionsOf(registered)]);
  if (found === undefined || all.length === 0)
    throw new UserError(
      `${wish}: the registry has no version of ${registered}. Train one, or register one, and then: ` +
        commandLine("promote", stack, model.name),
    );
  return { all, aliases: found.aliases };
}

const mostVersions = 10;

/** The versions in lines, with their scores, for whoever has to choose one. */
export async function versionLines({ mlflow }: Registry, { all, aliases }: Versions): Promise<string> {
  const lines = all.slice(0, mostVersions).map(async ({ version, runId, registered }) => {
    const metrics = runId === "" ? {} : await mlflow.metrics(runId);
    const names = Object.entries(aliases).flatMap(([alias, one]) => (one === version ? [alias] : []));
    const facts = [
      ...names,
      ...scores({ metrics }),
      ...(registered === undefined ? [] : [dayOf(registered)]),
    ];
    return `  version ${version}  ${facts.join(", ")}`.trimEnd();
  });
  const more = all.length - mostVersions;
  return [...(await Promise.all(lines)), ...(more > 0 ? [`  and ${more} older ones`] : [])].join("\n");
}

/** The day of a time in ISO's form. */
export function dayOf(time: string): string {
  return time.slice(0, 10);
}

/**
 * The version of a number. @throws UserError it is no number, or there is none, with those that there are.
 */
export async function numbered(
  registry: Registry,
  { registered }: Pick<Promotable, "registered">,
  versions: Versions,
  word: string,
): Promise<ModelVersion> {
  const found = versions.all.find(({ version }) => version === word);
  if (found !== undefined) return found;
  const what = /^\d+$/.test(word)
    ? `has no version ${word}`
    : `has versions by number, and "${word}" is none`;
  throw new UserError(`${registered} ${what}. It has:\n${await versionLines(registry, versions)}`);
}
