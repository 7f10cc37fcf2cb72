/** A graph of units: each of its nodes is a model, or stands between models. */
import type { Resources } from "./fields";
import type { ModelConfig, NodeConfig } from "./models";
import { servedBy } from "./manifests";
import type { Protocol } from "./servers";
import { type UnitType, protocolsOf, unitIn } from "./units";
import type { Path } from "./walk";

/** A node, with what holds for it. */
export interface Part {
  /** From the model's place: `["graph", "children", 0]`; empty for a model without a graph. */
  readonly path: Path;
  readonly type: UnitType;
  /** The node as a model by itself, which is checked and decided on as any other. */
  readonly model: ModelConfig;
  readonly children: readonly Part[];
}

/** What a unit of the project asks for: it has a server, and no model. */
const unitResources: Resources = { cpu: "50m", memory: "128Mi", memoryLimit: "256Mi" };

/** A model's graph; of a model without one, the model alone. */
export function partOf(model: ModelConfig): Part {
  const { graph } = model;
  return graph === undefined
    ? { path: [], type: "MODEL", model, children: [] }
    : toPart(model, graph, ["graph"]);
}

function toPart(entry: ModelConfig, node: NodeConfig, path: Path): Part {
  const { type, children, resources, startupSeconds, ...own } = node;
  const unit = unitIn(node.image);
  const single: ModelConfig = {
    ...own,
    replicas: entry.replicas,
    canary: entry.canary,
    // What an entry says of these holds for each of its models.
    resources: { ...(unit === undefined ? entry.resources : unitResources), ...given(resources) },
    startupSeconds: startupSeconds ?? entry.startupSeconds,
  };
  return {
    path,
    type: type ?? unit?.type ?? "MODEL",
    model: single,
    children: children.map((child, index) => toPart(entry, child, [...path, "children", index])),
  };
}

/** Without the keys that have no value. */
function given(resources: NodeConfig["resources"]): Partial<Resources> {
  return Object.fromEntries(Object.entries(resources).filter(([, amount]) => amount !== undefined));
}

/** The node that says what a graph takes: as `describingUnit` finds it in what is deployed. */
export function describingPart(part: Part): Part {
  const [behind] = part.children;
  return behind === undefined || part.type === "MODEL" || part.type === "TRANSFORMER"
    ? part
    : describingPart(behind);
}

/** A node and all those behind it. */
export function flatParts(part: Part): Part[] {
  return [part, ...part.children.flatMap(flatParts)];
}

/** The nodes of a model's graph; of a model without one, the model alone. */
export function partsOf(model: ModelConfig): Part[] {
  return flatParts(partOf(model));
}

/** A model with a change to each of its nodes; of a model without a graph, to itself. */
export function withParts(model: ModelConfig, change: (model: ModelConfig) => ModelConfig): ModelConfig {
  if (model.graph === undefined) return change(model);
  const changed = (node: NodeConfig, part: Part): NodeConfig => {
    const { server, image } = change(part.model);
    const children = node.children.flatMap((child, index) => {
      const behind = part.children[index];
      return behind === undefined ? [] : changed(child, behind);
    });
    return { ...node, server, image, children };
  };
  return { ...model, graph: changed(model.graph, partOf(model)) };
}

/** The protocols that a node can speak; undefined of an image of others, of which nothing is known. */
export function spokenBy({ model }: Part): readonly Protocol[] | undefined {
  const { server, image } = model;
  if (server !== undefined || image === undefined) return ["v2"];
  const served = servedBy(image);
  return served === undefined ? protocolsOf(image) : [served.serving.protocol];
}

/** Form of the requests that a model is asked by, where nothing is wrong with it. */
export function protocolOf(model: ModelConfig): Protocol {
  if (model.protocol !== undefined) return model.protocol;
  if (model.graph === undefined) return model.server === undefined ? "seldon" : "v2";
  const spoken = partsOf(model).flatMap((part) => spokenBy(part) ?? []);
  const common = (["seldon", "v2"] as const).filter((one) =>
    partsOf(model).every((part) => spokenBy(part)?.includes(one) ?? true),
  );
  return common[0] ?? spoken[0] ?? "seldon";
}
