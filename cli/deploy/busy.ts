import { at } from "../../policy/rules/values";
import type { Diagnosis } from "../cluster/diagnosis/diagnosis";
import { backend } from "../serving/backend";
import type { Part } from "./parts";

/** A resource with which the engine is busy. */
export interface Busy {
  readonly urn: string;
  /** Kind, namespace and name in the cluster; empty where it is no object there. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** The model whose pods it counts, if it is a disruption budget. */
  readonly model?: string | undefined;
  readonly part: Part;
  /** What is done with it: "creating". */
  readonly doing: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** Whether a finding tells why the engine is still busy with a resource. */
export function concerns(
  finding: Diagnosis,
  { kind, namespace, name, doing, ...busy }: Pick<Busy, "doing" | "kind" | "model" | "name" | "namespace">,
): boolean {
  const { object, release, job, model, cause } = finding;
  // What goes may ail as it likes: a crashing pod is no reason to leave it there.
  if (doing === "removing" && cause !== "namespace" && cause !== "cluster") return false;
  // A cluster that cannot be asked is about all that is in it.
  if (object.kind === "Cluster") return kind === "Namespace" || namespace !== "";
  if (kind === "Namespace") return object.kind === "Namespace" && object.name === name;
  if (object.namespace !== namespace) return false;
  switch (kind) {
    case "Release":
      return release === name || (release === undefined && job === undefined && model === undefined);
    case "Job":
      return job === name;
    case backend.kind:
      return model === name;
    case "PodDisruptionBudget":
      return model !== undefined && model === busy.model;
    default:
      return object.kind === kind && object.name === name;
  }
}

/** `Release mlflow`; what is no object of the cluster is called by its kind. */
export function inWords({ kind, name }: Busy): string {
  return name === "" ? kind : `${kind} ${name}`;
}

/** Kind, namespace and name of what a resource is in the cluster. */
export function objectOf(type: string, inputs: Readonly<Record<string, unknown>>) {
  const kind = type === "kubernetes:helm.sh/v3:Release" ? "Release" : (type.split(":").at(-1) ?? type);
  const given = (kind === "Release" ? inputs : (inputs["metadata"] ?? {})) as Record<string, unknown>;
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return {
    kind: text(inputs["kind"]) || kind,
    namespace: text(given["namespace"]),
    name: text(given["name"]),
    ...(kind === "PodDisruptionBudget" && { model: text(budgetedModel(inputs)) }),
  };
}

/** The model whose pods a disruption budget counts. */
function budgetedModel(inputs: Readonly<Record<string, unknown>>): unknown {
  return at(inputs, "spec", "selector", "matchLabels", backend.label);
}
