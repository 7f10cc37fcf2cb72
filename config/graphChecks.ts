/** What of a graph of units does not fit together. Seldon's executor would find it out with a request, or not at all. */
import { bytes } from "./fields";
import { flatParts, type Part, partOf, spokenBy } from "./graph";
import { fitting } from "./graphColumns";
import type { Decisions } from "./lock";
import { servedBy } from "./manifests";
import type { ModelConfig } from "./models";
import type { Mistake } from "./mistakes";
import { type Protocol, protocols } from "./servers";
import { type UnitType, unitIn } from "./units";
import { optionProblem } from "./manifests";
import { listed } from "./words";

/** The container that the operator puts beside those of a graph. */
const executor = "seldon-container-engine";

/** What of a model's graph is wrong, by places from the model's on; nothing where there is none. */
export function checkGraph(
  model: ModelConfig,
  written: Readonly<Record<string, unknown>>,
  decisions: Decisions,
): Mistake[] {
  if (model.graph === undefined) return [];
  const root = partOf(model);
  const parts = flatParts(root);
  const shape = [...checkPlace(written), ...checkNames(parts), ...parts.flatMap(checkNode)];
  // What stands where tells what is meant: as long as that is wrong, nothing more is.
  if (shape.length > 0) return shape;
  return [...checkProtocols(model, parts), ...parts.flatMap((part) => fitting(part, decisions))];
}

/** Keys of a single model, of which each node has its own. */
const single = [
  ...(["server", "image", "model", "training", "parameters", "environment"] as const),
  ...(["predictors", "canary"] as const),
];
const singleOnly: Readonly<Record<string, string>> = {
  training: "give the model an entry of its own, and name it here: model: models:/NAME@champion",
  predictors: "a graph has one predictor; put a ROUTER into it",
  canary: "versions are tried of single models; a graph follows what its models' own entries decide",
};

function checkPlace(written: Readonly<Record<string, unknown>>): Mistake[] {
  return single
    .filter((key) => written[key] !== undefined)
    .map((key) => ({
      path: [key],
      message: `stands beside graph: ${singleOnly[key] ?? "write it at the node that it is for"}`,
    }));
}

function checkNames(parts: readonly Part[]): Mistake[] {
  const taken = new Set([executor]);
  return parts.flatMap(({ path, model: { name } }): Mistake[] => {
    const isTaken = taken.has(name);
    taken.add(name);
    if (!isTaken) return [];
    const whose =
      name === executor ? "the name of Seldon's own container" : "as another node of the graph is";
    return [{ path: [...path, "name"], message: `is "${name}", ${whose}: names must differ` }];
  });
}

/** How many nodes may be behind one: with several, the executor answers what the first does, unless they are combined. */
const childrenOf: Readonly<Record<UnitType, readonly [number, number]>> = {
  MODEL: [0, 1],
  TRANSFORMER: [1, 1],
  OUTPUT_TRANSFORMER: [1, 1],
  COMBINER: [2, 100],
  ROUTER: [2, 100],
};

function checkNode(part: Part): Mistake[] {
  const { path, type, model, children } = part;
  const at = (key: string, message: string): Mistake => ({ path: [...path, key], message });
  const mistakes: Mistake[] = [];
  const { memory, memoryLimit } = model.resources;
  // Of an entry without a graph, the schema says so.
  if (bytes(memoryLimit) < bytes(memory))
    mistakes.push(
      at("resources", `have memoryLimit ${memoryLimit}, below memory, which is ${memory}: raise it`),
    );
  const unit = unitIn(model.image);
  const served = servedBy(model.image);
  if (unit !== undefined && type !== unit.type)
    mistakes.push(at("type", `is ${type}, and ${unit.image} is a ${unit.type}: leave it out`));
  if (served !== undefined && type !== "MODEL")
    mistakes.push(at("type", `is ${type}, and ${served.serving.image} serves a model: leave it out`));
  if (type !== "MODEL" && model.server !== undefined)
    mistakes.push(at("server", `is ${model.server}, which serves models and is no ${type}: name an image`));
  else if (type !== "MODEL" && model.image === undefined)
    mistakes.push(at("image", `is missing: a ${type} needs a container with its code`));
  if (unit !== undefined) {
    if (model.model !== undefined) mistakes.push(at("model", `is for models, and ${unit.image} loads none`));
    for (const [name, value] of Object.entries(model.parameters)) {
      const problem = optionProblem(name, value, unit.parameters);
      if (problem !== undefined) mistakes.push({ path: [...path, "parameters", name], message: problem });
    }
  }
  return [...mistakes, ...checkChildren(part, children.length)];
}

function checkChildren({ path, type }: Part, count: number): Mistake[] {
  const at = (message: string): Mistake[] => [{ path: [...path, "children"], message }];
  const [least, most] = childrenOf[type];
  if (path.length === 1 && type === "MODEL" && count === 0)
    return at("are missing: a model alone needs no graph");
  if (count > most)
    return at(
      `are ${count}, and nobody combines their answers: Seldon's executor would answer what the first does. ` +
        "Put a COMBINER or a ROUTER between",
    );
  if (count >= least) return [];
  const needed = least === 1 ? "one node" : "two nodes";
  return at(`are ${count}: a ${type} needs ${needed} behind it${least === 1 ? "" : " at least"}`);
}

function checkProtocols(model: ModelConfig, parts: readonly Part[]): Mistake[] {
  const speaking = parts.flatMap((part) => {
    const spoken = spokenBy(part);
    return spoken === undefined ? [] : [{ part, spoken }];
  });
  const odd = (wanted: Protocol, why: string) =>
    speaking
      .filter(({ spoken }) => !spoken.includes(wanted))
      .map(({ part: { path, model: node }, spoken }) => ({
        path: [...path, "name"],
        message: `is "${node.name}", which speaks ${listed([...spoken])}, and ${why}: a graph has one protocol`,
      }));
  if (model.protocol !== undefined)
    return [
      ...odd(model.protocol, `protocol is ${model.protocol}`),
      ...checkGrpc(model, model.protocol, parts),
    ];
  const common = protocols.find((one) => speaking.every(({ spoken }) => spoken.includes(one)));
  if (common !== undefined) return checkGrpc(model, common, parts);
  // Of those that speak one alone, the first says which.
  const first = speaking.find(({ spoken }) => spoken.length === 1);
  const [wanted = "seldon"] = first?.spoken ?? [];
  return odd(wanted, `${first?.part.model.name ?? ""} speaks ${wanted}`);
}

/** Seldon's executor ends with such a call (1.17.1 to 1.19.0, `executor/api/grpc/kfserving/client.go`). */
function checkGrpc({ grpc }: ModelConfig, protocol: Protocol, parts: readonly Part[]): Mistake[] {
  const unit = parts.find(({ type }) => type !== "MODEL");
  if (grpc !== true || protocol !== "v2" || unit === undefined) return [];
  return [
    {
      path: ["grpc"],
      message:
        `is true, and Seldon's executor cannot call a ${unit.type} (${unit.model.name}) over gRPC in the protocol v2: ` +
        "leave it out, and ask over HTTP",
    },
  ];
}
