import { text } from "../../policy/rules/values";
import { volumesOf } from "../cluster/volumes";
import { type Consent, askBefore, confirmLoss } from "../consent";
import type { StateResource } from "../engine/state";
import type { Progress } from "../progress";
import { backend } from "../serving/backend";
import type { ClusterTarget } from "../target";
import { Parts } from "./parts";

/** What a stack has and does not declare any more. */
export interface Removals {
  readonly resources: readonly StateResource[];
  /** Parts, as people know them, with the number of resources that go: `MinIO (7)`. */
  readonly parts: readonly string[];
  /** Namespaces whose volumes may go with them. */
  readonly namespaces: readonly string[];
}

/**
 * What nobody misses: providers are no objects, an image that is built here stays where it is, a disruption budget goes
 * with the version whose pods it counts, and what a network policy has let through is let through for nobody.
 */
const unmissed = /^(pulumi|docker):|:PodDisruptionBudget$|:NetworkPolicy$/;
/**
 * The answers of a version stay beside its files, whatever becomes of the Job that has computed them; a splitter goes when
 * the requests of its model are not split any more.
 */
const unmissedParts: readonly (string | undefined)[] = [
  "mlplatform:serving:AnswersJob",
  "mlplatform:serving:Splitter",
];
/**
 * Of a model that stays, the address of a predictor goes with it, and what it was as a graph, or before it was one. That of
 * the model goes with the model, which is told.
 */
const model = "mlplatform:serving:ModelDeployment";
const replacedInModels: readonly string[] = ["Service", backend.kind];

/**
 * Compares what a stack has with what it declares.
 *
 * @param planned the URNs of all that is declared.
 */
export function removalsOf(state: readonly StateResource[], planned: ReadonlySet<string>): Removals {
  // What was replaced is on its way out.
  const types = new Map(state.map(({ urn, type }) => [urn, type]));
  const resources = state.filter(
    ({ urn, type, custom, parent = "", delete: replaced }) =>
      custom === true &&
      replaced !== true &&
      !unmissed.test(type) &&
      !unmissedParts.includes(types.get(parent)) &&
      !(
        replacedInModels.includes(type.split(":").at(-1) ?? "") &&
        types.get(parent) === model &&
        planned.has(parent)
      ) &&
      !planned.has(urn),
  );
  const parts = new Parts(state);
  const counts = new Map<string, number>();
  for (const { urn, type } of resources) {
    const title = parts.of(urn)?.title ?? type.split(":").at(-1) ?? type;
    counts.set(title, (counts.get(title) ?? 0) + 1);
  }
  const namespaces = resources.flatMap(({ type, inputs = {} }) => {
    if (type === "kubernetes:helm.sh/v3:Release") return text(inputs["namespace"]) ?? [];
    const { name } = (inputs["metadata"] ?? {}) as { name?: unknown };
    return type === "kubernetes:core/v1:Namespace" ? (text(name) ?? []) : [];
  });
  return {
    resources,
    parts: [...counts].map(([title, count]) => `${title} (${count})`).sort(),
    namespaces: [...new Set(namespaces)].sort(),
  };
}

/**
 * Says what an `up` would remove, and asks; where data go with it, the stack's name has to be typed.
 *
 * @throws UserError nobody has agreed.
 */
export async function agreeToRemovals(
  { stack, cluster }: Pick<ClusterTarget, "stack" | "cluster">,
  { parts, namespaces }: Removals,
  consent: Consent,
  progress: Progress,
): Promise<void> {
  if (parts.length === 0) return;
  const volumes = await volumesOf(cluster, namespaces);
  progress.event({ event: "removals", stack, parts, volumes });
  const about = `Stack ${stack} does not declare any more, and so loses: ${parts.join(", ")}`;
  const lines = volumes.map(({ name, size }) => `  ${name} (${size})`);
  const what =
    volumes.length === 0
      ? `${about}.`
      : [
          `${about}; with the data on these volumes, of which nothing is copied elsewhere:`,
          ...lines,
          "Runs and versions are in the database, and their files in the store: the one means little without the other.",
        ].join("\n");
  if (volumes.length === 0) await askBefore(what, "Remove that?", stack, consent, progress);
  else await confirmLoss(what, stack, consent, progress);
}
