import { chartFootprints } from "../../components/capabilities";
import { release } from "./kubernetes";
import type { PolicyResource, Rule } from "./model";
import { at, text } from "./values";

const environments = new Set(["prod", "staging"]);
const claim = "kubernetes:core/v1:PersistentVolumeClaim";

export const protectedData: Rule = {
  name: "protected-data",
  description: "In staging and prod, what holds data is protected, and so is what would take data with it.",
  enforcement: "mandatory",
  needs: "stack",
  check: (resource, { environment, resources }) => {
    if (!environments.has(environment) || resource.protect) return [];
    const what = holds(resource, resources);
    return what === undefined
      ? []
      : [
          `option protect is not set on ${what}, in ${environment}: set it to true, so that nothing deletes or replaces it`,
        ];
  },
};

/** What data a resource holds; undefined if none. */
function holds(resource: PolicyResource, resources: readonly PolicyResource[]): string | undefined {
  const chart = release(resource)?.chart;
  if (chart !== undefined && hasVolume(chart)) return `a release of chart ${chart}, which holds data`;
  if (resource.type === "random:index/randomPassword:RandomPassword") {
    return "a password, which the data cannot be read without";
  }
  if (resource.type === claim) return "a volume claim, which holds data";
  if (resource.type === "kubernetes:postgresql.cnpg.io/v1:Cluster") return "a database, which holds data";
  if (resource.type !== "kubernetes:core/v1:Namespace") return undefined;
  const name = text(at(resource.props, "metadata", "name"));
  const withData = resources.some(
    (other) => other !== resource && name !== undefined && dataNamespace(other) === name,
  );
  return withData ? "a namespace, with which the data in it would be deleted" : undefined;
}

/** The namespace in which a resource keeps data; undefined if it keeps none. */
function dataNamespace(resource: PolicyResource): string | undefined {
  const installed = release(resource);
  if (installed !== undefined) return hasVolume(installed.chart) ? installed.namespace : undefined;
  return resource.type === claim ? text(at(resource.props, "metadata", "namespace")) : undefined;
}

function hasVolume(chart: string): boolean {
  return chartFootprints[chart]?.volume !== undefined;
}
