import type { ModelConfig } from "../../config/models";
import { wishesOf } from "../../config/decisionChecks";
import type { Decision, Decisions } from "../../config/lock";
import type { Cluster } from "../cluster/cluster";
import { UserError, messageOf } from "../errors";
import { backend } from "../serving/backend";
import { table } from "../table";
import type { ServedPredictor } from "../serving/served";
import { servedVersion } from "../serving/version";
import { type Registry, decide } from "./decide";
import { scores } from "./difference";
import { registryOf } from "./registry";

type Version = Omit<Decision, "decided">;

/** A model of a stack, and what is known of it. */
export interface Listed {
  /** Its name in the stack. */
  readonly model: string;
  /** The name in the registry; null where the stack says the files. */
  readonly wish: string | null;
  readonly decided: Decision | null;
  /** What the name stands for in the registry now; null if nothing is known. */
  readonly registry: Version | null;
  /** Why it is null. */
  readonly reason: string | null;
  /** Numbers of the versions in service; null where nobody was asked. */
  readonly serving: readonly string[] | null;
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
    const predictors = served?.find(({ name }) => name === model.name)?.predictors ?? [];
    const wishes = wishesOf(model);
    return (wishes.length === 0 ? [null] : wishes).map(async (wish): Promise<Listed> => {
      const decided = decisions[wish ?? ""] ?? null;
      const versionOf = async (one: ServedPredictor) =>
        one.modelUri === decided?.files
          ? String(decided?.version)
          : registry && servedVersion(registry.mlflow, one);
      return {
        ...{ model: model.name, wish, decided },
        ...(wish === null ? { registry: null, reason: null } : await standsFor(wish, registry)),
        serving:
          served === undefined
            ? null
            : (await Promise.all(predictors.map(versionOf))).filter((one) => one !== undefined),
      };
    });
  });
  return Promise.all(rows);
}

/** The reason where there is no registry, or no way to it. */
export const notAsked = "not asked";

async function standsFor(
  name: string,
  registry: Registry | undefined,
): Promise<Pick<Listed, "reason" | "registry">> {
  if (registry === undefined) return { registry: null, reason: notAsked };
  try {
    return { registry: await decide(registry, name), reason: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { registry: null, reason: messageOf(error) };
  }
}

/** Whether the registry has another version than the one that was decided. */
export function hasMoved({ decided, registry, wish }: Listed): boolean {
  return wish !== null && registry !== null && registry.version !== decided?.version;
}

/** The listing for people; why a name stands for nothing is for the caller to say. */
export function listingTable(rows: readonly Listed[]): string {
  const head = ["model", "wish", "decided", "in the registry", "in service", "scores", "age"];
  return table(head, rows.map(cells));
}

function cells(row: Listed): string[] {
  const { model, wish, decided, registry, serving } = row;
  const known = decided ?? registry;
  const version = (number: number | string) => `version ${number}`;
  return [
    model,
    wish ?? "",
    decided === null ? (wish === null ? "" : "not yet") : version(decided.version),
    registry === null
      ? wish === null
        ? ""
        : "?"
      : `${version(registry.version)}${hasMoved(row) ? " ←" : ""}`,
    serving === null ? "?" : serving.map(version).join(", "),
    known === null ? "" : scores(known).join(", "),
    known === null ? "" : ageOf(known.registered),
  ];
}

const dayMilliseconds = 86_400_000;

function ageOf(registered: string): string {
  const days = Math.floor((Date.now() - Date.parse(registered)) / dayMilliseconds);
  return days < 1 ? "today" : `${days} day${days === 1 ? "" : "s"}`;
}
