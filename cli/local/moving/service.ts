import type { ModelVersion } from "../../mlflow";
import { type Registry, decide } from "../../registry/decide";
import { record, servesTag } from "../../registry/promotion/record";
import { signed } from "../../registry/signed";
import { localStack } from "./scene";

/**
 * After an `up`: tells the registry what serves here, unless that is written down.
 *
 * @throws UserError MLflow does not answer.
 */
export async function tellService(registry: Registry, version: ModelVersion): Promise<void> {
  if (servesTag(localStack) in version.tags) return;
  const decided = await decide(registry, `models:/${version.name}/${version.version}`);
  const decisions = [{ ...decided, decided: signed() }];
  await record(registry.mlflow, version.name, { stack: localStack, decisions });
}
