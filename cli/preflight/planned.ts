/** What several checks look for in a plan. */
import { kindOf, release } from "../../policy/rules/kubernetes";
import { at, text } from "../../policy/rules/values";
import { policyResources } from "../plan/policy";
import type { Recording } from "../plan/recording";

/** The namespaces that the stack makes. */
export function ownNamespaces(recording: Recording): string[] {
  return policyResources(recording)
    .filter((resource) => kindOf(resource) === "Namespace")
    .flatMap(({ props }) => text(at(props, "metadata", "name")) ?? []);
}

/** A Helm release of the stack. */
export interface PlannedRelease {
  readonly name: string;
  readonly namespace: string;
  /** The chart's name, without repository or folder. */
  readonly chart: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** Where the chart is: `oci://…`, a path, or a name in `repository`. */
  readonly source: string;
  readonly repository: string | undefined;
}

/** The Helm releases that the stack installs. */
export function plannedReleases(recording: Recording): PlannedRelease[] {
  return policyResources(recording).flatMap((resource) => {
    const found = release(resource);
    if (found === undefined) return [];
    return [
      {
        name: text(resource.props["name"]) ?? resource.name,
        namespace: found.namespace ?? "default",
        chart: found.chart,
        values: found.values,
        source: text(resource.props["chart"]) ?? "",
        repository: text(at(resource.props, "repositoryOpts", "repo")),
      },
    ];
  });
}
