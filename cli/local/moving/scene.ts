/** What there is to know of a model of this machine before another version of it comes into service. */
import { manifests } from "../../../config/manifests";
import { champion, registryScheme } from "../../../config/registryNames";
import { knownInstead } from "../../../config/words";
import { thisMachine } from "../../commandLine";
import { UserError } from "../../errors";
import { MlflowClient, type ModelVersion } from "../../mlflow";
import { localHost } from "../../ports";
import type { Registry } from "../../registry/decide";
import { packageFinder } from "../../registry/environment";
import { type Named, type Promotable, type Versions, versionsOf } from "../../registry/promotion/promotable";
import { type Servable, registeredModel } from "../registered";
import { type LocalModel, localDir, readState, runningModel } from "../state";

/** What the registry's tags call this machine: `serves.local`. */
export const localStack = "local";

/** A model in service here, with what the registry has of it. */
export interface LocalScene {
  readonly what: Named & Pick<Promotable, "alias">;
  readonly manifest: Servable;
  readonly registry: Registry;
  readonly versions: Versions;
  /** What serves it. */
  readonly model: LocalModel;
  /** The version that serves; undefined if the registry has it no more. */
  readonly serving: ModelVersion | undefined;
}

/** The registry of this machine. */
export function localRegistry(mlflow: MlflowClient): Registry {
  return { mlflow, store: localDir("artifacts"), ...packageFinder() };
}

/** @throws UserError no such model is in service here, or the registry has none. */
export async function localScene(name: string): Promise<LocalScene> {
  const { mlflow, models = {} } = readState();
  const model = runningModel(name);
  if (model === undefined || mlflow === undefined) {
    const names = Object.keys(models);
    const start = names.length === 0 ? `npm run up -- --models ${name}` : "npm run up -- --models NAME";
    const known = names.length === 0 ? "" : ` (${knownInstead(name, names)})`;
    throw new UserError(`no model ${name} runs here${known}. Start it: ${start}`);
  }
  const manifest = manifests.find((one) => one.name === name) ?? registeredModel(name);
  const registry = localRegistry(new MlflowClient(`http://${localHost}:${mlflow.port}`));
  const wish = `${registryScheme}${name}@${champion}`;
  const what = { stack: thisMachine, registered: name, wish, alias: champion, model: { name } };
  const versions = await versionsOf(registry, what);
  const serving = versions.all.find(({ version }) => version === model.version);
  return { what, manifest, registry, versions, model, serving };
}
