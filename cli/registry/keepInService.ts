import { type Decisions } from "../../config/lock";
import { undecided } from "../../config/decisionChecks";
import type { ModelConfig } from "../../config/models";
import { listed } from "../../config/words";
import { commandLine } from "../commandLine";
import { UserError } from "../errors";
import { backend } from "../serving/backend";
import type { ClusterTarget } from "../target";

/**
 * Sees before a deployment that it ends no model. One that nobody has decided on is left out: of one in service that
 * would be its end.
 *
 * @param models all of the stack.
 * @param decisions what the lock is to say.
 * @param reasons why nothing could be decided. @default nobody has tried
 * @throws UserError there is one.
 */
export async function keepInService(
  { cluster, stack }: Pick<ClusterTarget, "cluster" | "stack">,
  models: readonly ModelConfig[],
  decisions: Decisions,
  reasons: readonly string[] = [],
): Promise<void> {
  const open = models.filter((model) => undecided(model, decisions).length > 0);
  if (open.length === 0) return;
  const names = open.map(({ name }) => name);
  const served = (await backend.models(cluster))
    .map(({ name }) => name)
    .filter((name) => names.includes(name));
  if (served.length === 0) return;
  throw new UserError(
    [
      `${listed(served)} would be taken out of service, as nothing is decided for what the stack names now. Nothing was changed.`,
      ...(reasons.length === 0 ? [`Decide: ${commandLine("models", stack, "update")}`] : reasons),
    ].join("\n  "),
  );
}
