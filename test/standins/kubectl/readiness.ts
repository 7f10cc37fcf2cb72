/** When an object counts as ready, as the real provider has it (provider/pkg/await). */
import { type Value, type Values, asText, asValues, canonical, isValues } from "../values";

/** Where an object stands on its way. */
export type Readiness =
  { readonly state: "ready" } | { readonly state: "waiting" | "failed"; readonly reason: string };

const ready: Readiness = { state: "ready" };

/** Judges a live object. Of what depends on other objects, a Service's addresses, it knows nothing. */
export function readinessOf(manifest: Values): Readiness {
  const waitFor = annotation(manifest, "pulumi.com/waitFor");
  if (waitFor !== undefined)
    return allHold(manifest, waitFor.startsWith("[") ? (JSON.parse(waitFor) as string[]) : [waitFor]);
  switch (manifest["kind"]) {
    case "Deployment":
    case "StatefulSet":
      return rolledOut(manifest);
    case "Job":
      return succeeded(manifest);
    default:
      return ready;
  }
}

/** An annotation; undefined if the object has none of this name. */
export function annotation(manifest: Values, name: string): string | undefined {
  const value = asValues(asValues(manifest["metadata"])["annotations"])[name];
  return value === undefined ? undefined : asText(value);
}

function waiting(reason: string): Readiness {
  return { state: "waiting", reason };
}

/** Every pod is of the newest generation and available, and none of an older one is left. */
function rolledOut(manifest: Values): Readiness {
  const [spec, status] = [asValues(manifest["spec"]), asValues(manifest["status"])];
  const count = (name: string) => Number(status[name] ?? 0);
  const wanted = Number(spec["replicas"] ?? 1);
  const seen = count("observedGeneration") >= Number(asValues(manifest["metadata"])["generation"]);
  const stuck = condition(status, "Progressing");
  // Before the controller has seen a change, the failure is that of what the change may mend.
  if (seen && stuck?.["reason"] === "ProgressDeadlineExceeded")
    return { state: "failed", reason: asText(stuck["message"]) };
  const [updated, available, all] = [count("updatedReplicas"), count("availableReplicas"), count("replicas")];
  if (seen && updated === wanted && available === wanted && all === wanted) return ready;
  return waiting(`of ${wanted} pods ${updated} are new, ${available} available and ${all} there`);
}

function succeeded(manifest: Values): Readiness {
  const status = asValues(manifest["status"]);
  if (condition(status, "Complete")?.["status"] === "True") return ready;
  const failure = condition(status, "Failed");
  if (failure?.["status"] !== "True") return waiting("the Job is not done");
  return { state: "failed", reason: `${asText(failure["reason"])}: ${asText(failure["message"])}` };
}

function condition(status: Values, type: string): Values | undefined {
  const conditions = Array.isArray(status["conditions"]) ? (status["conditions"] as readonly Values[]) : [];
  return conditions.find((each) => each["type"] === type);
}

/**
 * All of the expressions hold at once: `jsonpath={.status.state}=Available`, or without a value, that there is one;
 * `condition=Ready`.
 */
function allHold(manifest: Values, expressions: readonly string[]): Readiness {
  const missing = expressions.find((expression) => {
    const [, type] = /^condition=(\w+)$/.exec(expression) ?? [];
    if (type !== undefined) return !hasCondition(manifest, type);
    const [, path, wanted] = /^jsonpath=\{(.+?)\}(?:=(.*))?$/.exec(expression) ?? [];
    if (path === undefined) throw new Error(`no stand-in for waiting for ${expression}`);
    const found = valueAt(manifest, path);
    return found === undefined || (wanted !== undefined && canonical(found) !== wanted && found !== wanted);
  });
  return missing === undefined ? ready : waiting(`${missing} does not hold`);
}

/** Whether a condition is true, said by a controller that has seen the newest generation. */
function hasCondition(manifest: Values, type: string): boolean {
  const status = asValues(manifest["status"]);
  const seen = Number(status["observedGeneration"] ?? Infinity);
  return (
    condition(status, type)?.["status"] === "True" &&
    seen >= Number(asValues(manifest["metadata"])["generation"] ?? 0)
  );
}

/** What a path of names leads to, `.status.state` or `.status['some-name']`; the rest of JSONPath is not needed. */
function valueAt(manifest: Values, path: string): Value | undefined {
  const step = /\.([\w-]+)|\['([^']+)'\]/g;
  if (path.replaceAll(step, "") !== "") throw new Error(`no stand-in for the JSONPath ${path}`);
  let value: Value | undefined = manifest;
  for (const [, plain, quoted] of path.matchAll(step))
    value = isValues(value) ? value[plain ?? quoted ?? ""] : undefined;
  return value;
}
