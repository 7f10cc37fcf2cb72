import type { ModelConfig } from "../../config/models";
import { wishesOf } from "../../config/decisionChecks";
import type { Decision, Decisions } from "../../config/lock";
import type { Cluster } from "../cluster/cluster";
import { UserError, messageOf } from "../errors";
import { backend } from "../serving/backend";
import { table } from "../table";
import { type Registry, decide } from "./decide";
import { scores } from "./difference";
import { registryOf } from "./registry";

/** What a stack wishes for, and what is known of it. */
export interface Listed {
  /** Name of the model in the stack. */
  readonly model: string;
  /** The name in the registry; null where the stack says the files, or trains the model itself. */
  readonly wish: string | null;
  readonly decided: Decision | null;
  /** The version that the name stands for in the registry now; null where there is none, or nobody was asked. */
  readonly registry: number | null;
  /** Why it is null. */
  readonly reason: string | null;
  /** Whether what was decided is in service; null where nobody was asked. */
  readonly serves: boolean | null;
}

/**
 * Lists the models of a stack.
 *
 * @param cluster where registry and models are; undefined if they cannot be asked.
 */
export async function listingOf(
  models: readonly ModelConfig[],
  decisions: Decisions,
  cluster: Cluster | undefined,
): Promise<Listed[]> {
  const [registry, served] = await Promise.all([
    cluster && registryOf(cluster),
    cluster && backend.models(cluster),
  ]);
  const rows = models.flatMap((model) => {
    const files = served?.find(({ name }) => name === model.name)?.predictors.map(({ modelUri }) => modelUri);
    const wishes = wishesOf(model);
    return (wishes.length === 0 ? [null] : wishes).map(async (wish): Promise<Listed> => {
      const decided = decisions[wish ?? ""] ?? null;
      return {
        ...{ model: model.name, wish, decided },
        ...(wish === null ? { registry: null, reason: null } : await standsFor(wish, registry)),
        serves: served === undefined || wish === null ? null : (files ?? []).includes(decided?.files),
      };
    });
  });
  return Promise.all(rows);
}

async function standsFor(
  wish: string,
  registry: Registry | undefined,
): Promise<Pick<Listed, "reason" | "registry">> {
  if (registry === undefined) return { registry: null, reason: "not asked" };
  try {
    return { registry: (await decide(registry, wish)).version, reason: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { registry: null, reason: messageOf(error) };
  }
}

/** Whether the registry has another version than the one that was decided. */
export function hasMoved({ decided, registry }: Listed): boolean {
  return registry !== null && registry !== decided?.version;
}

/** The listing for people; why a name stands for nothing is for the caller to say. */
export function listingTable(rows: readonly Listed[]): string {
  const head = ["model", "wish", "decided", "in the registry", "in service", "scores", "age"];
  return table(head, rows.map(cells));
}

function cells(row: Listed): string[] {
  const { model, wish, decided, registry, serves } = row;
  if (wish === null) return [model, "said by the stack itself", "", "", "", "", ""];
  return [
    model,
    wish,
    decided === null ? "not yet" : `version ${decided.version}`,
    registry === null ? "?" : `version ${registry}${hasMoved(row) ? " ←" : ""}`,
    serves === null ? "?" : serves ? "yes" : "no",
    decided === null ? "" : scores(decided).join(", "),
    decided === null ? "" : ageOf(decided.registered),
  ];
}

const dayMilliseconds = 86_400_000;

function ageOf(registered: string): string {
  const days = Math.floor((Date.now() - Date.parse(registered)) / dayMilliseconds);
  return days < 1 ? "today" : `${days} day${days === 1 ? "" : "s"}`;
}
