import { chartFootprints } from "../../components/capabilities";
import { inContainer } from "../../components/footprint";
import { containers, predictors, release, type Release, seldonDeployment } from "./kubernetes";
import type { PolicyResource, Rule } from "./model";
import { at, has, isOn, isUnknown, join, list, text } from "./values";

/** Nodes of a graph that run inside Seldon's executor and have no container. */
const withoutContainer = new Set(["AVERAGE_COMBINER", "RANDOM_ABTEST", "SIMPLE_MODEL", "SIMPLE_ROUTER"]);

export const requestsAndLimits: Rule = {
  name: "requests-and-limits",
  description:
    "Every container asks for CPU and memory and has a memory limit: what asks for nothing is ended first.",
  enforcement: "mandatory",
  needs: "resource",
  check: (resource) => {
    const installed = release(resource);
    if (installed !== undefined) return ofChart(installed);
    return [
      ...containers(resource).flatMap(({ path, container }) =>
        missing(container["resources"], join(path, "resources"), inContainer),
      ),
      ...(resource.type === seldonDeployment ? withoutSpec(resource) : []),
    ];
  },
};

function missing(value: unknown, path: string, wanted: readonly (readonly string[])[]): string[] {
  const absent = wanted.filter((keys) => !has(value, ...keys)).map((keys) => keys.join("."));
  return absent.length === 0 || isUnknown(value)
    ? []
    : [`${path} has no ${absent.join(", no ")}: say what the container needs`];
}

function ofChart({ chart, values }: Release): string[] {
  const known = chartFootprints[chart]?.resources;
  if (known === undefined) {
    return [
      `values of chart ${chart}: it is not known where this chart takes requests and limits; say it in the footprint of its capability`,
    ];
  }
  return known
    .filter(({ where }) => where === undefined || isOn(at(values, ...where)))
    .flatMap((place) => missing(at(values, ...place.at), place.at.reduce(join, "values"), place.keys));
}

/** Nodes of a graph whose container Seldon makes from nothing but their name. */
function withoutSpec(resource: PolicyResource): string[] {
  return predictors(resource).flatMap(({ path, predictor }) => {
    const specs = join(path, "componentSpecs");
    const named = containers(resource)
      .filter((container) => container.path.startsWith(`${specs}[`))
      .map(({ container }) => container["name"]);
    if (isUnknown(predictor["graph"]) || named.some(isUnknown)) return [];
    return nodes(predictor["graph"])
      .filter((node) => !withoutContainer.has(text(at(node, "implementation")) ?? ""))
      .map((node) => text(at(node, "name")))
      .filter((name) => name !== undefined && !named.includes(name))
      .map(
        (name) =>
          `${specs} has no container ${name ?? ""}, so that it gets no requests and limits: add it there`,
      );
  });
}

function nodes(graph: unknown): readonly unknown[] {
  return graph === undefined ? [] : [graph, ...list(at(graph, "children")).flatMap(nodes)];
}
