import type { Decision } from "../../config/lock";
import { type RegistryName, registryName } from "../../config/registryNames";
import { pinnedIn } from "../../config/servers";
import { listed, nearest } from "../../config/words";
import { UserError } from "../errors";
import type { MlflowClient, ModelVersion } from "../mlflow";
import { type ModelFile, codeIn, parseModelFile } from "../modelFiles";

/** Where the registry's files lie. */
export interface Registry {
  readonly mlflow: MlflowClient;
  /** Where in the store `mlflow-artifacts:/` lies: `s3://models/mlflow`. */
  readonly store: string;
  /**
   * Finds the packages that serve what has such requirements, for a platform of Docker's.
   *
   * @throws UserError they cannot be had; says which, and why.
   */
  readonly packagesFor: (requirements: string, platform: string) => Promise<readonly string[]>;
  /**
   * Finds the packages that score tables by it, as few others as can be than those that serve it.
   *
   * @throws UserError as `packagesFor`.
   */
  readonly scoringFor: (
    requirements: string,
    serving: readonly string[],
    platform: string,
  ) => Promise<readonly string[]>;
}

/**
 * Asks the registry which version a name stands for now, and what that is.
 *
 * @param wish a name in the registry, as a stack has it.
 * @throws UserError there is no such model, alias or version, with those that there are; its files are gone; MLflow does
 *   not answer.
 */
export async function decide({ mlflow, store }: Registry, wish: string): Promise<Omit<Decision, "decided">> {
  const name = registryName(wish);
  if (name === undefined) throw new Error(`${wish} is no name in the registry`);
  const version = await versionOf(mlflow, wish, name);
  const place = await mlflow.placeOf(version);
  const files = await mlflow.artifacts(place);
  if (!files.includes("MLmodel"))
    throw new UserError(
      `${wish} is version ${version.version}, and its files are gone: there is no MLmodel in ${store}/${place}. ` +
        "Choose another version, or register it again.",
    );
  const needs = ["requirements.txt", "conda.yaml"].find((file) => files.includes(file));
  const [described, requirements, metrics] = await Promise.all([
    mlflow.artifact(`${place}/MLmodel`),
    needs === undefined ? "" : mlflow.artifact(`${place}/${needs}`),
    version.runId === "" ? {} : mlflow.metrics(version.runId),
  ]);
  const file = parseModelFile(described);
  if (file === undefined)
    throw new UserError(`${wish}: its MLmodel is not what MLflow writes: ${described.slice(0, 100)}`);
  const { inputs, outputs } = file;
  return {
    version: Number(version.version),
    run: version.runId,
    files: `${store}/${place}`,
    form: formOf(file),
    loading: loadingOf(file),
    libraries: pinnedIn(requirements),
    metrics,
    compared: file.recorded ? "training" : file.example === undefined ? "nothing" : "example",
    ...(inputs === undefined ? {} : { signature: { inputs, ...(outputs === undefined ? {} : { outputs }) } }),
    registered: version.registered ?? new Date(0).toISOString(),
  };
}

function loadingOf(file: ModelFile): NonNullable<Decision["loading"]> {
  const { loader: by, python, method: answers = "predict" } = file;
  return {
    ...(by === undefined ? {} : { by }),
    ...(python === undefined ? {} : { python }),
    ...(answers === "predict" ? {} : { answers }),
    code: codeIn(file),
  };
}

async function versionOf(mlflow: MlflowClient, wish: string, name: RegistryName): Promise<ModelVersion> {
  const { model, alias } = name;
  const found =
    alias === undefined
      ? await mlflow.version(model, String(name.version))
      : await mlflow.versionByAlias(model, alias);
  if (found !== undefined) return found;
  const registered = await mlflow.registered(model);
  if (registered === undefined) {
    const names = await mlflow.registeredNames();
    const meant = nearest(model, names);
    const known = names.length === 0 ? "it has none" : `it has ${some(names)}`;
    throw new UserError(
      `${wish}: the registry has no model ${model}; ${meant === undefined ? known : `did you mean ${meant}?`}`,
    );
  }
  const aliases = Object.entries(registered.aliases);
  const there = aliases.map(([one, version]) => `${one} (version ${version})`);
  const has = there.length === 0 ? "it has no alias" : `it has ${listed(there)}`;
  const what = alias === undefined ? `version ${name.version}` : `alias ${alias}`;
  const meant = alias === undefined ? undefined : nearest(alias, Object.keys(registered.aliases));
  throw new UserError(
    `${wish}: model ${model} has no ${what}; ${meant === undefined ? has : `did you mean ${meant}?`}`,
  );
}

const mostNames = 20;

function some(names: readonly string[]): string {
  const more = names.length - mostNames;
  return more > 0 ? `${names.slice(0, mostNames).join(", ")} and ${more} more` : listed(names);
}

/**
 * Library and format of a model's files, as manifests name them. What MLflow loads by other code than that of a single
 * library, whose format is told, is of a form that no standard server is trusted with: it may be anything, a pickle too.
 */
function formOf({ flavors, loader }: ModelFile): string {
  const { python_function: general, ...libraries } = flavors;
  const [library, ...others] = Object.keys(libraries);
  if (library === undefined || others.length > 0 || (general !== undefined && loader !== `mlflow.${library}`))
    return `loaded by ${loader ?? "several libraries"}`;
  const { serialization_format: serialised, model_format: format, data } = libraries[library] ?? {};
  // It names the format of what it would write of the other kind, too.
  if (library === "lightgbm" && typeof data === "string" && data.endsWith(".lgb")) return "lightgbm-lgb";
  return [library, serialised ?? format].filter((part) => typeof part === "string").join("-");
}
