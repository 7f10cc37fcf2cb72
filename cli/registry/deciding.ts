/** What `up` decides by itself: in `dev` everything, elsewhere nothing. */
import type { PlatformConfig } from "../../config";
import { undecided, wishesOf } from "../../config/decisionChecks";
import { type Decisions, lockFile } from "../../config/lock";
import type { ModelConfig } from "../../config/models";
import { registryScheme } from "../../config/registryNames";
import { listed } from "../../config/words";
import { namespaceNames } from "../../components/capabilities";
import type { Cluster } from "../cluster/cluster";
import { namespaceAddress } from "../cluster/whose";
import { UserError } from "../errors";
import { readStackConfig } from "../plan/stackFiles";
import type { Progress } from "../progress";
import { backend } from "../serving/backend";
import type { ClusterTarget } from "../target";
import { hasMoved, listingOf } from "./listing";
import { decisionsIn, rewriteLock, writeDown } from "./lockFile";
import { registryOf } from "./registry";
import { allWishes, update } from "./update";

/** What of a stack decides. */
export interface Deciding {
  readonly config: Pick<PlatformConfig, "environment" | "models"> &
    Partial<Pick<PlatformConfig, "objectStore">>;
  readonly file: string;
}

/** Reads what a stack wishes for; undefined if it is nothing. @throws UserError its configuration is wrong. */
export async function decidingOf(stack: string): Promise<Deciding | undefined> {
  const written = Object.values(readStackConfig(stack).config);
  // The SDK takes a second, for which a stack that wishes for nothing should not have to wait.
  if (!written.some((value) => value.includes(registryScheme))) return undefined;
  const { platformConfig } = await import("../plan/plan.js");
  const config = await platformConfig(stack, {});
  if (allWishes(config.models).size === 0) return undefined;
  return { config, file: lockFile(stack, config.environment) };
}

/**
 * Before anything is deployed: in `dev` takes what the registry has now, elsewhere says where it has moved on. Where the
 * registry cannot be asked, what was decided goes on, and that is said.
 *
 * @throws UserError a model in service would go, as nothing is decided for what the stack names now.
 */
export async function decideBefore(
  { stack, cluster }: Pick<ClusterTarget, "cluster" | "stack">,
  { config, file }: Deciding,
  progress: Progress,
): Promise<void> {
  const before = decisionsIn(file);
  const registry = await registryOf(cluster);
  if (config.environment !== "dev") {
    const wishing = config.models.filter((model) => wishesOf(model).length > 0);
    for (const row of await listingOf(wishing, before, cluster))
      if (row.decided !== null && hasMoved(row))
        progress.warn(
          `${row.wish ?? ""} is version ${row.registry?.version ?? ""} in the registry now, and version ${row.decided.version} is ` +
            `what was decided for ${row.model}. To take it: npm run models -- update ${row.model} --stack ${stack}`,
        );
    await keepInService(cluster, config.models, before, []);
    return;
  }
  if (registry === undefined) {
    const [home, served] = await Promise.all([
      cluster.get(namespaceAddress(namespaceNames.tracking)),
      backend.models(cluster),
    ]);
    // With the cluster's registry its versions are gone: another one begins with none. Where its server alone is gone,
    // this run brings it back, and what was decided goes on, as it does for what is in service.
    if (home === undefined && served.length === 0) rewriteLock(file, stack, () => ({}));
    else await keepInService(cluster, config.models, before, ["The registry is not there to be asked."]);
    return;
  }
  await progress.step("registry", async (step) => {
    const updated = await update(registry, config.models, config, before);
    const { decisions, changes, failures } = updated;
    await keepInService(cluster, config.models, decisions, failures);
    if (changes.length > 0) writeDown(file, stack, updated);
    for (const failure of failures) progress.warn(failure);
    const asked = failures.length > 0 ? "not all can be decided" : "nothing has changed";
    step.detail(changes.length === 0 ? asked : changes.join("; "));
  });
}

/** A model that nobody has decided on is left out: of one in service that would be its end. @throws UserError there is one. */
async function keepInService(
  cluster: Cluster,
  models: readonly ModelConfig[],
  decisions: Decisions,
  reasons: readonly string[],
): Promise<void> {
  const open = models.filter((model) => undecided(model, decisions).length > 0).map(({ name }) => name);
  if (open.length === 0) return;
  const served = (await backend.models(cluster))
    .map(({ name }) => name)
    .filter((name) => open.includes(name));
  if (served.length === 0) return;
  throw new UserError(
    [
      `${listed(served)} would be taken out of service, as nothing is decided for what the stack names now. Nothing was changed.`,
      ...(reasons.length === 0 ? ["Decide: npm run models -- update"] : reasons),
    ].join("\n  "),
  );
}

/**
 * After all else is up: decides what could not be decided before there was a registry.
 *
 * @returns whether there is more to deploy now.
 * @throws UserError the registry has nothing of that name.
 */
export async function decideRest(
  { stack, cluster }: Pick<ClusterTarget, "cluster" | "stack">,
  { config, file }: Deciding,
  progress: Progress,
): Promise<boolean> {
  const before = decisionsIn(file);
  const open = config.models.filter((model) => undecided(model, before).length > 0);
  if (open.length === 0 || config.environment !== "dev") return false;
  const { changes, failures } = await progress.step("registry", async (step) => {
    const registry = await registryOf(cluster);
    if (registry === undefined) throw new UserError("the registry is not there.");
    const updated = await update(registry, open, config, before);
    if (updated.changes.length > 0) writeDown(file, stack, updated);
    else if (updated.failures.length > 0)
      throw new UserError(
        `${updated.failures.join("\n")}\n  All else is up. Register such a version, or set the alias (npm run open -- mlflow), and: npm run up`,
      );
    step.detail(updated.changes.join("; "));
    return updated;
  });
  for (const failure of failures) progress.warn(failure);
  return changes.length > 0;
}
