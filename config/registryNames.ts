/** Names of model versions in MLflow's registry: https://mlflow.org/docs/latest/ml/model-registry/ */
import { shown } from "./words";

/** A version of a registered model: by an alias, which may move, or by its number. */
export type RegistryName = { readonly model: string } & (
  { readonly alias: string; readonly version?: never } | { readonly version: number; readonly alias?: never }
);

/** The alias of the version that a training of the platform holds for the best. */
export const champion = "champion";

/** How every such name begins. */
export const registryScheme = "models:/";

/** The name that an address is; undefined if it is none, or a wrong one. */
export function registryName(address: string): RegistryName | undefined {
  if (registryProblem(address) !== undefined) return undefined;
  const [, model = "", at = "", which = ""] = parts.exec(address) ?? [];
  return at === "@" ? { model, alias: which } : { model, version: Number(which) };
}

const parts = /^models:\/([^/:@]+)([@/])([^/@]+)$/;
const form = "models:/NAME@ALIAS, such as models:/churn@champion, or models:/NAME/3";

/** What is wrong with a name in the registry, to be read behind its place; undefined if nothing is. */
export function registryProblem(address: string): string | undefined {
  const quoted = shown(address);
  if (!address.startsWith("models:") && /^models:/i.test(address))
    return `is ${quoted}, whose scheme must be in lower case, models:/`;
  if (/\s/.test(address)) return `is ${quoted}, which has a space in it: write ${form}`;
  if (address.startsWith("models://"))
    return `is ${quoted}: leave the second slash out, models:/${address.slice(9)}`;
  const [, model, at, which = ""] = parts.exec(address) ?? [];
  if (model === undefined) return `is ${quoted}, which does not say which version: write ${form}`;
  if (at === "/") {
    if (which === "latest")
      return `is ${quoted}, which is another version after every training: take an alias, models:/${model}@champion`;
    if (!/^[1-9]\d{0,8}$/.test(which))
      return `is ${quoted}, in which "${which}" is no number of a version: write ${form}`;
    return undefined;
  }
  // As MLflow's own check of aliases has it.
  if (!/^[\w-]{1,255}$/.test(which))
    return `is ${quoted}, in which "${which}" is no alias: letters, digits, underscores and dashes`;
  if (/^v\d+$/i.test(which))
    return `is ${quoted}, and MLflow keeps aliases like ${which} for itself: write models:/${model}/${which.slice(1)}`;
  return which.toLowerCase() === "latest"
    ? `is ${quoted}, and MLflow has no alias of that name: take another, such as models:/${model}@champion`
    : undefined;
}
