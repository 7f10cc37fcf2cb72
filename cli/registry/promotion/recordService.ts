import { registryName } from "../../../config/registryNames";
import type { Cluster } from "../../cluster/cluster";
import { UserError } from "../../errors";
import type { Progress } from "../../progress";
import type { DecidingConfig } from "../deciding";
import { follow } from "./alias";
import { decisionsIn } from "../lockFile";
import { record, servesTag, turnoverOf } from "./record";
import { registryOf } from "../registry";
import { decisionsOf } from "./scene";
import { allWishes } from "../update";

/** After a deployment: tells the registry what serves now. That it cannot be told changes nothing of that. */
export async function recordService(
  { stack, cluster }: { readonly stack: string; readonly cluster: Cluster },
  { config, file }: { readonly config: DecidingConfig; readonly file: string },
  progress: Progress,
): Promise<void> {
  const wished = [...allWishes(config.models).keys()].flatMap((wish) => registryName(wish)?.model ?? []);
  try {
    const registry = await registryOf(cluster);
    if (registry === undefined) return;
    const { mlflow } = registry;
    // The stack may have had other models.
    const told = (await mlflow.versionsWithTag(servesTag(stack))).map(({ name }) => name);
    for (const registered of new Set([...wished, ...told])) {
      const decided = decisionsOf({ registered, config }, decisionsIn(file));
      const service = { stack, decisions: [...decided.values()] };
      // In dev what the registry says was taken before.
      if (config.environment !== "dev") {
        const versions = await mlflow.versionsOf(registered);
        const left = await follow(mlflow, decided, turnoverOf(versions, service), versions);
        for (const sentence of left) progress.warn(sentence);
      }
      await record(mlflow, registered, service);
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    progress.warn(`the registry could not be told what serves: ${error.message}`);
  }
}
